/**
 * The `parakeet` command as a user runs it: files, stdin, exit codes, and what is on disk after Ctrl-C.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { run } from '../../src/cli/run.js';
import { decode } from '../../src/transforms/decode.js';
import { resample } from '../../src/transforms/resample.js';
import { fakeTerminal } from '../support/command-line.js';
import { samplesOf } from '../support/samples.js';
import { joined, pieces, through } from '../support/streams.js';
import { parseSrt, parseVtt } from '../support/transcript.js';
import { wavFile } from '../support/wav-file.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const audio = (name: string) => fileURLToPath(new URL(`../audio/${name}.flac`, import.meta.url));
const short = audio('af_sky_10');
const ffmpegPath = (createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string }).path;
/** What asks a command to end, and the exit code that a shell gives it. */
const ENDS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(args: string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      ...(process.env.PARAKEET_ADDON ? { PARAKEET_ADDON: process.env.PARAKEET_ADDON } : {}),
      ...env,
    },
  });
}

async function cli(args: string[], options: { input?: Buffer; env?: Record<string, string> } = {}) {
  const child = start(args, options.env);
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const [stdout, stderr, [code]] = await Promise.all([
    readAll(child.stdout),
    readAll(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** Looks again and again; the test's own limit is the only one. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
const words = (text: string) => text.toLowerCase().replace(/[^a-z ]/g, '');

describe('what is not understood ends with 2 and a hint', () => {
  test.each([
    [[], /Usage: parakeet/],
    [['listen'], /unknown command 'listen'/],
    [['lives'], /Did you mean live\?/],
    [['transcribe'], /missing required argument 'input'/],
    [['transcribe', 'ftp://host/a.wav'], /http\(s\) URL/],
    [['transcribe', '-', '-'], /received it twice/],
    [['transcribe', '--tempo', '2', short], /--tempo/],
    [['transcribe', '--output-format', 'doc', short], /txt, srt, vtt, json, jsonl, all/],
    [['transcribe', '--output-template', '{title}', short], /\{title\}/],
    [['transcribe', short, short], /both give .*af_sky_10\.srt.*\{index\}/],
    [['live', 'talk.wav'], /parakeet transcribe/],
    [['live', '-o', 'talk.doc'], /\.srt, \.vtt/],
    [['live', '-o', 'talk.srt', '-f', 'vtt'], /one format for talk\.srt/],
    [['live', '-o', '-'], /--output-format with --output -/],
    [['live', '-o', 'a.srt', '-o', './a.srt'], /different outputs/],
    [['live', '--quiet'], /--output with --quiet/],
    [['live', '--mic', '-'], /either --mic or -/],
    [['transcribe', short, short, '-o', 'a.srt'], /one input with --output/],
    [['transcribe', short, '-f', 'all', '-o', '-'], /one format/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(
      args[0] && args[0] !== 'listen' && args[0] !== 'lives' ? `See parakeet ${args[0]} --help.` : /parakeet/,
    );
    expect(stdout).toBe('');
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('help and version', async () => {
  expect(await cli(['--help'])).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('transcribe [options] <input...>'),
  });
  expect((await cli(['transcribe', '--help'])).stdout).toContain('--output-template');
  expect((await cli(['live', '-h'])).stdout).toContain('--latency');
  expect((await cli(['--version'])).stdout).toMatch(/^parakeet-stream \d+\.\d+\.\d+\n$/);
});

describe('transcribe', () => {
  test('writes every format, and nothing on stderr in a pipe', async () => {
    const { code, stdout, stderr } = await cli([
      'transcribe',
      '--output-format',
      'all',
      '--output-dir',
      'out',
      short,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n').sort()).toEqual(
      readdirSync(path.join(folder, 'out'))
        .map((name) => path.join('out', name))
        .sort(),
    );
    expect(words(read('out/af_sky_10.txt'))).toContain('he gave the sign');
    expect(read('out/af_sky_10.srt')).toMatch(/^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\S/);
    expect(read('out/af_sky_10.vtt')).toMatch(/^WEBVTT\n\n00:00:0\d\.\d{3} --> /);
    const json = JSON.parse(read('out/af_sky_10.json'));
    expect(json.text).toBe(read('out/af_sky_10.txt').trim());
    expect(json.sentences[0].tokens[0]).toMatchObject({
      start: expect.any(Number),
      confidence: expect.any(Number),
    });
    expect(JSON.parse(read('out/af_sky_10.jsonl').split('\n')[0] ?? '')).toMatchObject({ type: 'sentence' });
  });

  test('a speaker a channel; a file with another number of channels is an error of that file', async () => {
    const words = await samplesOf('af_sky_10.flac');
    const late = new Float32Array(words.length + 48_000);
    late.set(words, 48_000);
    const early = new Float32Array(late.length);
    early.set(words);
    writeFileSync(path.join(folder, 'call.wav'), wavFile([early, late]));
    const args = ['transcribe', '-f', 'vtt', '--speakers', 'Anna,Ben', short, 'call.wav'];
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'call.vtt\n' });
    expect(stderr).toMatch(/af_sky_10\.flac: .*2 for audio of 1 channel/);
    expect(read('call.vtt')).toMatch(
      /^WEBVTT\n\n00:00:00\.\d{3} --> .*\n<v Anna>He gave[\s\S]*\n00:00:03\.\d{3} --> .*\n<v Ben>He gave/,
    );
  });

  test('one file that fails does not keep the others from being written', async () => {
    writeFileSync(path.join(folder, 'letter.wav'), 'Dear Sir, this is no sound at all.');
    const { code, stdout, stderr } = await cli(['transcribe', '--output-format', 'txt', 'letter.wav', short]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^parakeet: letter\.wav: ERR_PARAKEET_UNSUPPORTED_FORMAT: /);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stdout).toBe('af_sky_10.txt\n');
    expect(readdirSync(folder).sort()).toEqual(['af_sky_10.txt', 'letter.wav']);
  });

  test('stdin, the template, and verbose', async () => {
    const { code, stderr } = await cli(
      ['transcribe', '-', '--output-template', 'a/{filename}_{index}', '-v', '--output-format', 'vtt'],
      { input: readFileSync(short) },
    );
    expect(code).toBe(0);
    expect(read('a/stdin_1.vtt')).toMatch(/^WEBVTT/);
    expect(stderr).toMatch(/\[00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\] \d+ % \S/);
  });

  test('a file without samples is an error, and leaves nothing', async () => {
    writeFileSync(path.join(folder, 'empty.wav'), '');
    writeFileSync(path.join(folder, 'header.wav'), wavFile([[]]));
    writeFileSync(path.join(folder, 'header.srt'), 'kept');
    const { code, stdout, stderr } = await cli(['transcribe', 'empty.wav', 'header.wav']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^parakeet: empty\.wav: ERR_\w+: .*no samples.*\n.*header\.wav: ERR_.*\n$/);
    expect(readdirSync(folder).sort()).toEqual(['empty.wav', 'header.srt', 'header.wav']);
    expect(read('header.srt')).toBe('kept');
    expect(await cli(['transcribe', '-', '-o', 'x.srt'])).toMatchObject({ code: 1 });
    expect(existsSync(path.join(folder, 'x.srt'))).toBe(false);
  });

  test('silence is a transcript without words', async () => {
    const args = ['transcribe', '-', '--format', 's16le', '--rate', '8000', '-o', 'x.srt'];
    expect(await cli(args, { input: Buffer.alloc(16_000) })).toMatchObject({ code: 0, stderr: '' });
    expect(read('x.srt')).toBe('');
  });

  test('a folder and a missing file among others fail alone', async () => {
    const { code, stdout, stderr } = await cli(['transcribe', '-f', 'txt', '.', 'nowhere.wav', short]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'af_sky_10.txt\n' });
    expect(stderr).toMatch(/^parakeet: \.: .*folder\nparakeet: nowhere\.wav: ENOENT.*\n$/);
  });

  test('a recording is never overwritten by a transcript', async () => {
    copyFileSync(short, path.join(folder, 'talk.txt'));
    symlinkSync('talk.txt', path.join(folder, 'link.srt'));
    for (const args of [
      ['-f', 'txt', 'talk.txt'],
      ['talk.txt', '-o', 'link.srt'],
    ]) {
      const { code, stderr } = await cli(['transcribe', ...args]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/is a recording/);
    }
    expect(readFileSync(path.join(folder, 'talk.txt')).equals(readFileSync(short))).toBe(true);
  });

  test('nor is the one that stdin reads', async () => {
    copyFileSync(short, path.join(folder, 'talk.srt'));
    const shell = ['-c', '"$0" "$@" < talk.srt', process.execPath, main, 'transcribe', '-', '-o', 'talk.srt'];
    const { status, stderr } = spawnSync('sh', shell, { cwd: folder, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/is a recording/);
    expect(readFileSync(path.join(folder, 'talk.srt')).equals(readFileSync(short))).toBe(true);
  });

  test('--output-format is for the outputs whose names have no ending', async () => {
    const outputs = ['-o', 'a.srt', '-o', 'a.json', '-o', '-'];
    const { code, stdout } = await cli(['transcribe', short, ...outputs, '-f', 'txt']);
    expect(code).toBe(0);
    expect(words(stdout)).toMatch(/^he gave the sign/);
    expect(read('a.srt')).toMatch(/-->/);
    const contradiction = await cli(['transcribe', short, '-o', 'a.srt', '-f', 'txt']);
    expect(contradiction).toMatchObject({ code: 2, stderr: expect.stringMatching(/Expected one format/) });
  });

  test('transcripts are written anew; --no-clobber keeps those that are there', async () => {
    writeFileSync(path.join(folder, 'af_sky_10.txt'), 'a longer text than the new one '.repeat(20));
    const kept = await cli(['transcribe', '--no-clobber', '-f', 'txt', short]);
    expect(kept).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/already there/) });
    expect(read('af_sky_10.txt')).toMatch(/^a longer/);
    expect(await cli(['transcribe', '-f', 'txt', short])).toMatchObject({ code: 0, stderr: '' });
    expect(words(read('af_sky_10.txt'))).toMatch(/^he gave the sign/);
  });

  test('to stdout in any format, to several outputs at once, and to a folder as in whisper', async () => {
    const { code, stdout, stderr } = await cli(['transcribe', short, '-o', '-', '-f', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(words((JSON.parse(stdout) as { text: string }).text)).toContain('he gave the sign');
    const both = await cli(['transcribe', short, '-o', '-', '-o', 'a.vtt', '-o', 'b.jsonl']);
    expect(both.stdout).toMatch(/^1\n00:00/);
    expect(read('a.vtt')).toMatch(/^WEBVTT/);
    expect(read('b.jsonl')).toMatch(/^\{"type":"sentence"/);
    expect(await cli(['transcribe', short, '-o', 'new/', '--output_format', 'txt', '-q'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(existsSync(path.join(folder, 'new', 'af_sky_10.txt'))).toBe(true);
    const two = await cli(['transcribe', short, short, '-o', '-', '-f', 'txt']);
    expect(words(two.stdout).match(/he gave the sign/g)).toHaveLength(2);
  });

  test('raw samples, with their format named', async () => {
    const audio = await through(pieces(readFileSync(short), 10_000), decode());
    const { items } = await through(audio.items, resample(8000));
    const samples = Int16Array.from(joined(items)[0] as Float32Array, (sample) => sample * 32_767);
    const args = ['transcribe', '-', '--format', 's16le', '--rate', '8000', '-o', '-', '-f', 'txt'];
    const { code, stdout } = await cli(args, { input: Buffer.from(samples.buffer) });
    expect(code).toBe(0);
    expect(words(stdout)).toContain('he gave');
  });

  test('an http URL is read by ffmpeg', async () => {
    const server = createServer((_, response) => response.end(readFileSync(short))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const env = { FFMPEG_PATH: ffmpegPath };
      const { code, stdout, stderr } = await cli(
        ['transcribe', `http://127.0.0.1:${port}/a/talk.flac?x=1`, '-f', 'txt'],
        { env },
      );
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'talk.txt\n', stderr: '' });
      expect(words(read('talk.txt'))).toContain('he gave the sign');
    } finally {
      server.close();
    }
  });

  test('a model that is not there fails with its code', async () => {
    const { code, stderr } = await cli(['transcribe', short], { env: { PARAKEET_MODEL: './no-such-model' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^parakeet: ERR_PARAKEET_MODEL_NOT_FOUND: .*no-such-model/);
  });

  test.each(ENDS)('%s ends with %i and leaves what was heard', async (signal, code) => {
    const args = ['transcribe', '-', '-o', 'talk.srt', '--chunk-duration', '4', '--overlap-duration', '1'];
    const child = start(args);
    child.stdin.on('error', () => {});
    child.stdin.write(readFileSync(audio('jfk')));
    await until(() => existsSync(path.join(folder, 'talk.srt')) && read('talk.srt') !== '');
    child.kill(signal);
    const [ended] = await once(child, 'close');
    expect(ended).toBe(code);
    expect(words(read('talk.srt'))).toMatch(/fell/);
  });
});

describe('an output that cannot be written', () => {
  beforeEach(() => {
    mkdirSync(path.join(folder, 'taken'));
    writeFileSync(path.join(folder, 'file'), '');
  });
  // A model that does not exist would be the error if it were loaded first.
  const env = { PARAKEET_MODEL: './no-such-model' };

  test.each([
    [['live', '-o', 'missing/x.srt']],
    [['live', '-o', 'taken', '-f', 'srt']],
    [['live', '-o', 'file/x.json']],
    [['live', '-o', 'good.srt', '-o', 'missing/x.vtt']],
    [['live', '--record', 'missing/x.jsonl']],
    [['transcribe', short, '-o', 'taken', '-o', 'a.txt']],
    [['transcribe', short, '--output-dir', 'file']],
    [['transcribe', short, '-o', 'file/x.json']],
  ])('is one line, before the model: %j', async (args) => {
    const { code, stdout, stderr } = await cli(args, { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^parakeet: .*ERR_PARAKEET_WRITE: [^\n]*\n$/);
  });
});

test.each([
  [['transcribe', short, '-o', '-', '-f', 'txt']],
  [['live', '-o', '-', '-f', 'jsonl']],
  [['models', '--help']],
])('a reader that goes away ends %j in silence', async (args) => {
  const child = start(args);
  child.stdin.on('error', () => {});
  child.stdout.destroy();
  child.stdin.end(readFileSync(short));
  const [stderr, [code]] = await Promise.all([readAll(child.stderr), once(child, 'close')]);
  expect(code).toBe(141);
  expect(args[0] === 'live' ? stderr.replace(/^\w.*$/gm, '').trim() : stderr).toBe('');
});

describe('completion', () => {
  test.each(['zsh', 'fish'])('%s has every command and option', async (shell) => {
    const { code, stdout } = await cli(['completion', shell]);
    expect(code).toBe(0);
    for (const word of ['transcribe', 'completion', 'no-clobber', 'output-template', 'balanced'])
      expect(stdout).toContain(word);
  });

  test.each([
    ['parakeet tr', 'transcribe'],
    ['parakeet models c', 'convert calibrate'],
    ['parakeet live --lat', '--latency'],
    ['parakeet live --latency ba', 'balanced'],
    ['parakeet models pull --rev', '--revision'],
  ])('bash completes %j', async (line, word) => {
    const { stdout } = await cli(['completion', 'bash']);
    const at = line.split(' ');
    const script = `${stdout}\nCOMP_WORDS=(${line}); COMP_CWORD=${at.length - 1}; _parakeet; echo "\${COMPREPLY[*]}"`;
    const { stdout: reply } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(reply.trim()).toBe(word);
  });

  test('of another shell is refused', async () => {
    expect(await cli(['completion', 'csh'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/bash, zsh, fish/),
    });
  });
});

describe('live', () => {
  test('input without a sample is an error', async () => {
    for (const input of [Buffer.alloc(0), wavFile([[]])]) {
      const { code, stderr } = await cli(['live', '-q', '-o', '-', '-f', 'srt'], {
        input: Buffer.from(input),
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(/no samples/);
    }
  });

  test('captions on stdout, the same words in the file', async () => {
    const { code, stdout, stderr } = await cli(['live', '-o', 'talk.srt'], { input: readFileSync(short) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(words(stdout)).toContain('he gave the sign');
    const cues = read('talk.srt')
      .split('\n')
      .filter((line) => line !== '' && !/^\d/.test(line));
    expect(cues.join('\n')).toBe(stdout.trim());
  });

  test('a draft model: the same captions, and an error when it cannot be loaded', async () => {
    const input = readFileSync(short);
    const draftModel = bundledModel();
    const { code, stdout, stderr } = await cli(['live', '--draft-model', draftModel], { input });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(words(stdout)).toContain('he gave the sign');
    const missing = await cli(['live', '--draft-model', './missing'], { input });
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('missing');
  });

  test('raw samples', async () => {
    const silence = Buffer.alloc(16000 * 2);
    const { code, stdout } = await cli(
      ['live', '-', '--format', 's16le', '--rate', '16000', '--channels', '1'],
      {
        input: silence,
      },
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  test('raw samples need no name: what bears no mark is s16le', async () => {
    const audio = await through(pieces(readFileSync(short), 10_000), decode());
    const { items } = await through(audio.items, resample(16_000));
    const samples = Int16Array.from(joined(items)[0] as Float32Array, (sample) => sample * 32_767);
    const { code, stdout, stderr } = await cli(['live', '-'], { input: Buffer.from(samples.buffer) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(words(stdout)).toContain('he gave the sign');
  });

  test.each(ENDS)('%s writes what was heard and ends with %i', async (signal, code) => {
    const child = start(['live', '--max-words', '3', '-o', 'talk.srt']);
    const output = readAll(child.stdout);
    child.stdin.on('error', () => {});
    child.stdin.write(readFileSync(audio('am_michael_05')));
    // The source stays open, as a microphone's would.
    await until(() => existsSync(path.join(folder, 'talk.srt')) && read('talk.srt') !== '');
    child.kill(signal);
    const [ended] = await once(child, 'close');
    expect(ended).toBe(code);
    expect(words(await output)).toContain('helsinki');
    expect(words(read('talk.srt').replace(/\n/g, ' '))).toContain('helsinki');
  });

  test('an output that is there is refused, continued, or replaced', async () => {
    const input = readFileSync(short);
    const outputs = ['talk.srt', 'talk.vtt', 'talk.txt', 'talk.json', 'talk.jsonl'];
    const args = ['live', ...outputs.flatMap((file) => ['-o', file])];
    expect(await cli(args, { input })).toMatchObject({ code: 0 });
    const before = outputs.map(read);

    const refused = await cli(args, { input });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^parakeet: ERR_PARAKEET_WRITE: .*talk\.srt is already there.*--append.*--overwrite.*\n$/,
    );
    expect(outputs.map(read)).toEqual(before);

    expect(await cli([...args, '--append'], { input })).toMatchObject({ code: 0, stderr: '' });
    const [once, twice] = [parseSrt(before[0] as string), parseSrt(read('talk.srt'))];
    const end = once.at(-1)?.end ?? 0;
    expect(twice.slice(0, once.length)).toEqual(once);
    expect(twice.slice(once.length).map(({ text }) => text)).toEqual(once.map(({ text }) => text));
    twice.slice(once.length).forEach(({ start }, i) => {
      expect(start).toBeCloseTo((once[i]?.start ?? 0) + end, 2);
    });
    expect(parseVtt(read('talk.vtt'))).toEqual(twice);
    expect(read('talk.txt')).toBe((before[2] as string).repeat(2));
    const document = JSON.parse(read('talk.json')) as { text: string; sentences: { start: number }[] };
    const lines = read('talk.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { start: number });
    expect(document.sentences.map(({ start }) => start)).toEqual(lines.map(({ start }) => start));
    expect(document.sentences[1]?.start).toBeGreaterThanOrEqual(end);
    expect(document.text).toBe(read('talk.txt').trim().replaceAll('\n', ' '));

    expect(await cli([...args, '--overwrite'], { input })).toMatchObject({ code: 0 });
    expect(outputs.map(read)).toEqual(before);
  });

  test('a session that is there is not replaced either', async () => {
    writeFileSync(path.join(folder, 'talk.audio'), 'sound');
    const { code, stderr } = await cli(['live', '--record', 'talk.jsonl'], { input: readFileSync(short) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/talk\.audio is already there/);
    expect(read('talk.audio')).toBe('sound');
  });

  test('to stdout, with the captions on stderr', async () => {
    const { code, stdout, stderr } = await cli(['live', '-o', '-', '-f', 'vtt'], {
      input: readFileSync(short),
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^WEBVTT/);
    expect(words(stderr)).toContain('he gave the sign');
  });

  test('on a terminal without input it says what to do', async () => {
    const { terminal, shown } = fakeTerminal();
    expect(await run(['live'], terminal)).toBe(2);
    expect(shown()).toMatch(/which is a terminal\. Use --mic.*pipe/);
    expect(await run(['transcribe', '-'], terminal)).toBe(2);
    expect(shown()).toMatch(/which is a terminal\. Name a file.*pipe/);
  });

  test('a terminal that goes away does not take the file with it', async () => {
    const { terminal, stdin, stdout, shown } = fakeTerminal();
    const file = path.join(folder, 'talk.srt');
    stdin.isTTY = false;
    stdout.write = ((_: unknown, done?: (error: Error) => void) => {
      done?.(Object.assign(new Error('write EIO'), { code: 'EIO' }));
      return false;
    }) as never;
    stdin.end(readFileSync(short));
    const code = await run(['live', '-o', file], terminal);
    expect({ code, shown: shown() }).toEqual({ code: 0, shown: '' });
    expect(words(readFileSync(file, 'utf8'))).toContain('he gave the sign');
  });
});

describe('doctor', () => {
  test('says what computes, and measures each type', async () => {
    const { code, stdout, stderr } = await cli(['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of [
      process.version,
      'MLX',
      "dtype 'auto'",
      'float32',
      'bfloat16',
      'int8',
      'int4',
      'GFLOP/s',
    ]) {
      expect(stdout).toContain(word);
    }
  });

  test('gives JSON with figures that make sense', async () => {
    const { code, stdout } = await cli(['doctor', '--json', '--threads', '1']);
    expect(code).toBe(0);
    const machine = JSON.parse(stdout) as { types: { dtype: string; gigaflops: number; speed: number }[] };
    expect(machine.types.map(({ dtype }) => dtype)).toEqual(['float32', 'bfloat16', 'int8', 'int4']);
    for (const { gigaflops, speed } of machine.types) {
      expect(gigaflops).toBeGreaterThan(0);
      expect(speed).toBeGreaterThan(0);
    }
  });

  test('takes no argument', async () => {
    expect(await cli(['doctor', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/too many arguments/),
    });
  });
});
