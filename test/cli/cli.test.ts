/**
 * The `parakeet` command as a user runs it: files, stdin, exit codes, and what is on disk after Ctrl-C.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decode } from '../../src/transforms/decode.js';
import { resample } from '../../src/transforms/resample.js';
import { joined, pieces, through } from '../support/streams.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const audio = (name: string) => fileURLToPath(new URL(`../audio/${name}.flac`, import.meta.url));
const short = audio('af_sky_10');

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

const read = (name: string) => readFileSync(path.join(folder, name), 'utf8');
const words = (text: string) => text.toLowerCase().replace(/[^a-z ]/g, '');

describe('what is not understood ends with 2 and a hint', () => {
  test.each([
    [[], /Expected a command/],
    [['listen'], /received listen/],
    [['transcribe'], /at least one sound file/],
    [['transcribe', 'nowhere.wav'], /nowhere\.wav \(ENOENT\)/],
    [['transcribe', '.'], /the folder \./],
    [['transcribe', '--tempo', '2', short], /--tempo/],
    [['transcribe', '--output-format', 'doc', short], /txt, srt, vtt, json, jsonl, all/],
    [['transcribe', '--output-template', '{title}', short], /\{title\}/],
    [['transcribe', short, short], /both give .*af_sky_10\.srt.*\{index\}/],
    [['live', 'talk.wav'], /parakeet transcribe/],
    [['live', '-o', 'talk.doc'], /\.srt, \.vtt/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('parakeet --help');
    expect(stdout).toBe('');
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('help and version', async () => {
  expect(await cli(['--help'])).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('transcribe FILE…'),
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

  test('an empty file gives an empty transcript', async () => {
    writeFileSync(path.join(folder, 'empty.wav'), '');
    const { code, stderr } = await cli(['transcribe', 'empty.wav', '--output-format', 'txt']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(read('empty.txt')).toBe('');
  });

  test('a model that is not there fails with its code', async () => {
    const { code, stderr } = await cli(['transcribe', short], { env: { PARAKEET_MODEL: './no-such-model' } });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^parakeet: ERR_PARAKEET_MODEL_NOT_FOUND: .*no-such-model/);
  });

  test('Ctrl-C ends with 130', async () => {
    const child = start(['transcribe', '-', '--verbose']);
    await once(child.stderr, 'data'); // it has begun, and listens
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(130);
  });
});

describe('live', () => {
  test('captions on stdout, the same words in the file', async () => {
    const { code, stdout, stderr } = await cli(['live', '-o', 'talk.srt'], { input: readFileSync(short) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(words(stdout)).toContain('he gave the sign');
    const cues = read('talk.srt')
      .split('\n')
      .filter((line) => line !== '' && !/^\d/.test(line));
    expect(cues.join('\n')).toBe(stdout.trim());
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

  test('no sound at all is no failure', async () => {
    expect(await cli(['live', '-o', 'talk.txt'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(existsSync(path.join(folder, 'talk.txt'))).toBe(true);
  });

  test('Ctrl-C writes what was heard and ends with 130', async () => {
    const child = start(['live', '--max-words', '3', '-o', 'talk.srt']);
    const output = readAll(child.stdout);
    child.stdin.on('error', () => {});
    child.stdin.write(readFileSync(audio('am_michael_05')));
    // The source stays open, as a microphone's would.
    for (let i = 0; i < 200 && !(existsSync(path.join(folder, 'talk.srt')) && read('talk.srt') !== ''); i++)
      await sleep(50);
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(130);
    expect(words(await output)).toContain('helsinki');
    expect(words(read('talk.srt').replace(/\n/g, ' '))).toContain('helsinki');
  });
});

describe('doctor', () => {
  test('says what computes, and measures each type', async () => {
    const { code, stdout, stderr } = await cli(['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const word of [process.version, 'MLX', "dtype 'auto'", 'float32', 'bfloat16', 'int8', 'GFLOP/s']) {
      expect(stdout).toContain(word);
    }
  });

  test('gives JSON with figures that make sense', async () => {
    const { code, stdout } = await cli(['doctor', '--json', '--threads', '1']);
    expect(code).toBe(0);
    const machine = JSON.parse(stdout) as { types: { dtype: string; gigaflops: number; speed: number }[] };
    expect(machine.types.map(({ dtype }) => dtype)).toEqual(['float32', 'bfloat16', 'int8']);
    for (const { gigaflops, speed } of machine.types) {
      expect(gigaflops).toBeGreaterThan(0);
      expect(speed).toBeGreaterThan(0);
    }
  });

  test('takes no argument', async () => {
    expect(await cli(['doctor', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/received x/),
    });
  });
});
