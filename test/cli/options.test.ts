/**
 * Reading command lines: precedence, types, contradictions, and what a wrong one is told.
 */
import { expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import { UsageError } from '../../src/cli/usage-error.js';
import { commands, fakeTerminal, optionsOf, read as readLine } from '../support/command-line.js';

const read = async (argv: string[], env: NodeJS.ProcessEnv = {}) =>
  (await readLine(['transcribe', ...argv, 'a.wav'], env)).values;

test('defaults are those of parakeet-mlx', async () => {
  const { args, values } = await readLine(['transcribe', 'a.wav', 'b.wav']);
  expect(args).toEqual(['a.wav', 'b.wav']);
  expect(values).toMatchObject({
    outputDir: '.',
    outputFormat: 'srt',
    outputTemplate: '{filename}',
    decoding: 'greedy',
    beamSize: 5,
    chunkDuration: 120,
    overlapDuration: 15,
    attention: 'full',
    localAttentionContextSize: 256,
    dtype: 'auto',
  });
  // The beam's options depend on the search.
  for (const name of ['maxWords', 'highlightWords', 'output', 'model', 'search', 'lengthPenalty', 'patience'])
    expect(values[name]).toBeUndefined();
});

test('the command line wins over the environment, and that over the default', async () => {
  const env = { PARAKEET_OUTPUT_FORMAT: 'vtt', PARAKEET_MAX_WORDS: '7', PARAKEET_LOCAL_ATTENTION: 'true' };
  expect(await read([], env)).toMatchObject({ outputFormat: 'vtt', maxWords: 7, attention: 'local' });
  expect(await read(['-f', 'txt'], env)).toMatchObject({ outputFormat: 'txt' });
  expect(await read(['--attention=full'], env)).toMatchObject({ attention: 'full' });
  expect(await read(['--full-attention'], env)).toMatchObject({ attention: 'full' });
});

test.each([
  ['PARAKEET_MODEL', 'model', 'x', 'x'],
  ['PARAKEET_OUTPUT_TEMPLATE', 'outputTemplate', '{date}', '{date}'],
  ['PARAKEET_CHUNK_DURATION', 'chunkDuration', '0', 0],
  ['PARAKEET_OVERLAP_DURATION', 'overlapDuration', '2.5', 2.5],
  ['PARAKEET_SILENCE_GAP', 'silenceGap', '0.5', 0.5],
  ['PARAKEET_MAX_DURATION', 'maxDuration', '4', 4],
  ['PARAKEET_FP32', 'dtype', '1', 'float32'],
  ['PARAKEET_FP32', 'dtype', 'false', 'auto'],
  ['PARAKEET_DTYPE', 'dtype', 'int8', 'int8'],
  ['PARAKEET_THREADS', 'threads', '2', 2],
  ['PARAKEET_LOCAL_ATTENTION_CTX', 'localAttentionContextSize', '64', 64],
  ['PARAKEET_CACHE_DIR', 'cacheDir', '/c', '/c'],
  ['PARAKEET_CACHE_DIR', 'cacheDir', '', undefined],
])('%s stands in for %s', async (variable, option, text, value) => {
  expect((await read([], { [variable]: text }))[option]).toBe(value);
});

test('of --fp32, --bf16 and --dtype the last one counts', async () => {
  expect(await read(['--fp32'])).toMatchObject({ dtype: 'float32' });
  expect(await read(['--fp32', '--bf16'])).toMatchObject({ dtype: 'bfloat16' });
  expect(await read(['--fp32', '--dtype', 'int8'])).toMatchObject({ dtype: 'int8' });
  expect(await read(['--dtype', 'int8', '--fp32'])).toMatchObject({ dtype: 'float32' });
  expect(await read(['--bf16'], { PARAKEET_FP32: '1' })).toMatchObject({ dtype: 'bfloat16' });
});

test.each([
  [['--nope'], /--nope/],
  [['--output-format', 'doc'], /one of txt, srt, vtt, json, jsonl, all for --output-format but received doc/],
  [['--max-words', 'many'], /whole number of at least 1 for --max-words but received many/],
  [['--max-words', '0'], /at least 1/],
  [['--max-words', '2.5'], /whole number/],
  [['--chunk-duration=-1'], /at least 0 for --chunk-duration but received -1/],
  [['--silence-gap', ''], /a number/],
  [['--model', ''], /a value for --model/],
  [['--start', '1:2:3:4'], /\[h:\]mm:ss/],
  [['--verbose=yes'], /verbose/],
  [['--speakers', 'Anna'], /channels, or names with commas between, for --speakers but received Anna/],
  [['--speakers', 'Anna,,Ben'], /names with commas/],
])('%j is refused', async (argv, message) => {
  const error = (await read(argv).catch((reason: unknown) => reason)) as UsageError;
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toMatch(message);
  expect(error.command).toBe('parakeet transcribe');
});

test('a wrong environment variable is named', async () => {
  await expect(read([], { PARAKEET_FP32: 'maybe' })).rejects.toThrow(
    /true or false for PARAKEET_FP32.*maybe/,
  );
});

test.each([
  [['transcribe', '--beam-size', '3', 'a'], /--decoding beam with --beam-size/],
  [['transcribe', '--duration-reward', '0', 'a'], /--decoding beam with --duration-reward/],
  [['live', '--patience', '2'], /--decoding beam with --patience/],
  [['transcribe', '--local-attention-context-size', '9', 'a'], /--local-attention with/],
  [['transcribe', '--chunk-duration', '0', '--overlap-duration', '3', 'a'], /other than 0/],
  [['transcribe', '--rate', '8000', 'a'], /a raw --format/],
  [['transcribe', '--format', 'wav', '--channels', '2', 'a'], /a raw --format/],
  [['transcribe', '-o', 'a.srt', '--output-dir', 'x', 'a'], /no --output with --output-dir/],
  [['transcribe', '-q', '-v', 'a'], /--quiet.*--verbose/],
  [['live', '--device', '1'], /--mic with --device/],
  [['live', '--mic', '--format', 's16le'], /no --mic/],
  [['live', '--mic', '--rate', '8000'], /a raw --format/],
  [['live', '--format', 'wav', '--rate', '8000'], /a raw --format/],
  [['live', '--append'], /--output with --append/],
  [['live', '-o', 'a.srt', '--append', '--overwrite'], /--append.*--overwrite/],
])('%j contradicts itself', async (argv, message) => {
  const error = (await readLine(argv).catch((reason: unknown) => reason)) as UsageError;
  expect(error).toBeInstanceOf(UsageError);
  expect(error.message).toMatch(message);
});

test('speakers are channels, or the names of their speakers', async () => {
  expect(await read([])).not.toHaveProperty('speakers');
  expect(await read(['--speakers', 'channels'])).toMatchObject({ speakers: 'channels' });
  expect(await read(['--speakers', 'Anna, Ben'])).toMatchObject({ speakers: { channels: ['Anna', 'Ben'] } });
});

test('what the environment says contradicts nothing', async () => {
  expect(await read([], { PARAKEET_BEAM_SIZE: '3' })).toMatchObject({ beamSize: 3, decoding: 'greedy' });
});

test('outputs are collected', async () => {
  expect(await read(['-o', 'a.srt', '--output', '-'])).toMatchObject({ output: ['a.srt', '-'] });
});

test("whisper's underscores are understood", async () => {
  const { terminal, shown } = fakeTerminal(false);
  expect(await run(['transcribe', '--max_words', 'many', 'a_b.wav'], terminal)).toBe(2);
  expect(shown()).toMatch(/for --max-words but received many/);
  expect(await run(['transcribe', '--max_wurds', '2', 'a_b.wav'], terminal)).toBe(2);
  expect(shown()).toMatch(/--max_wurds/);
});

test.each([...commands().keys()])("the help of '%s' names every option, and wraps", async (words) => {
  for (const columns of [80, 120]) {
    const { terminal, stdout, said, shown } = fakeTerminal();
    stdout.columns = columns;
    expect(await run([...(words === '' ? [] : words.split(' ')), '--help'], terminal)).toBe(0);
    const text = said();
    expect(shown()).toBe('');
    const prose = text.split(/^Examples:$/m)[0] ?? '';
    expect(prose.split('\n').filter((line) => line.length > columns)).toEqual([]);
    const flat = text.replace(/\s+/g, ' ');
    const command = commands().get(words);
    for (const option of command ? optionsOf(command) : []) {
      expect(flat).toContain(option.flags);
      if (option.variable) expect(flat).toContain(`env: ${option.variable}`);
    }
  }
});

test('help of a command by name', async () => {
  const [one, two] = [fakeTerminal(), fakeTerminal()];
  expect(await run(['help', 'live'], one.terminal)).toBe(0);
  expect(await run(['live', '--help'], two.terminal)).toBe(0);
  const text = one.said();
  expect(text).toContain('--latency');
  expect(text).toBe(two.said());
});

test.each([['-v'], ['--version']])('%s prints the version', async (flag) => {
  const { terminal, said } = fakeTerminal();
  expect(await run([flag], terminal)).toBe(0);
  expect(said()).toMatch(/^parakeet-stream \d+\.\d+\.\d+\n$/);
});
