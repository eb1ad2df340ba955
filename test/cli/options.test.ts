/**
 * Reading command lines: precedence, types, and what a wrong one is told.
 */
import { expect, test } from 'vitest';
import { TRANSCRIBE_HELP } from '../../src/cli/help.js';
import { LIVE_OPTIONS, parse, TRANSCRIBE_OPTIONS } from '../../src/cli/options.js';
import { UsageError } from '../../src/cli/usage-error.js';

const read = (argv: string[], env: NodeJS.ProcessEnv = {}) => parse(TRANSCRIBE_OPTIONS, argv, env);

test('defaults are those of parakeet-mlx', () => {
  const { values, positionals } = read(['a.wav', 'b.wav']);
  expect(positionals).toEqual(['a.wav', 'b.wav']);
  expect(Object.fromEntries(values)).toEqual({
    'output-dir': '.',
    'output-format': 'srt',
    'output-template': '{filename}',
    decoding: 'greedy',
    'beam-size': 5,
    'length-penalty': 1,
    patience: 1,
    'duration-reward': 0.7,
    'chunk-duration': 120,
    'overlap-duration': 15,
    attention: 'full',
    'local-attention-context-size': 256,
    dtype: 'auto',
  });
});

test('the command line wins over the environment, and that over the default', () => {
  const env = { PARAKEET_OUTPUT_FORMAT: 'vtt', PARAKEET_MAX_WORDS: '7', PARAKEET_LOCAL_ATTENTION: 'true' };
  expect(read([], env).values.get('output-format')).toBe('vtt');
  expect(read([], env).values.get('max-words')).toBe(7);
  expect(read([], env).values.get('attention')).toBe('local');
  expect(read(['--output-format', 'txt'], env).values.get('output-format')).toBe('txt');
  expect(read(['--attention=full'], env).values.get('attention')).toBe('full');
  expect(read(['--full-attention'], env).values.get('attention')).toBe('full');
});

test.each([
  ['PARAKEET_MODEL', 'model', 'x', 'x'],
  ['PARAKEET_OUTPUT_TEMPLATE', 'output-template', '{date}', '{date}'],
  ['PARAKEET_CHUNK_DURATION', 'chunk-duration', '0', 0],
  ['PARAKEET_OVERLAP_DURATION', 'overlap-duration', '2.5', 2.5],
  ['PARAKEET_SILENCE_GAP', 'silence-gap', '0.5', 0.5],
  ['PARAKEET_MAX_DURATION', 'max-duration', '4', 4],
  ['PARAKEET_FP32', 'dtype', '1', 'float32'],
  ['PARAKEET_DTYPE', 'dtype', 'int8', 'int8'],
  ['PARAKEET_THREADS', 'threads', '2', 2],
  ['PARAKEET_LOCAL_ATTENTION_CTX', 'local-attention-context-size', '64', 64],
  ['PARAKEET_CACHE_DIR', 'cache-dir', '/c', '/c'],
])('%s stands in for --%s', (variable, option, text, value) => {
  expect(read([], { [variable]: text }).values.get(option)).toBe(value);
});

test('of --fp32, --bf16 and --dtype the last one counts', () => {
  expect(read(['--fp32']).values.get('dtype')).toBe('float32');
  expect(read(['--fp32', '--bf16']).values.get('dtype')).toBe('bfloat16');
  expect(read(['--fp32', '--dtype', 'int8']).values.get('dtype')).toBe('int8');
  expect(read(['--bf16'], { PARAKEET_FP32: '1' }).values.get('dtype')).toBe('bfloat16');
});

test.each([
  [['--nope'], /--nope/],
  [['--output-format', 'doc'], /one of txt, srt, vtt, json, jsonl, all for --output-format but received doc/],
  [['--max-words', 'many'], /whole number of at least 1 for --max-words but received many/],
  [['--max-words', '0'], /at least 1/],
  [['--max-words', '2.5'], /whole number/],
  [['--chunk-duration=-1'], /at least 0 for --chunk-duration but received -1/],
  [['--silence-gap', ''], /a number/],
  [['--max-words'], /--max-words/],
  [['--verbose=yes'], /verbose/],
])('%j is refused', (argv, message) => {
  expect(() => read(argv)).toThrow(UsageError);
  expect(() => read(argv)).toThrow(message);
});

test('a wrong environment variable is named', () => {
  expect(() => read([], { PARAKEET_FP32: 'maybe' })).toThrow(/true or false for PARAKEET_FP32.*maybe/);
});

test('the help names every option, its default and its variable', () => {
  for (const [name, spec] of Object.entries({ ...TRANSCRIBE_OPTIONS })) {
    expect(TRANSCRIBE_HELP).toContain(`--${name}`);
    if (spec.env) expect(TRANSCRIBE_HELP).toContain(spec.env);
  }
  expect(parse(LIVE_OPTIONS, ['-'], {}).positionals).toEqual(['-']);
});
