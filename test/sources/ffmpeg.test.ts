/**
 * ffmpeg as a source and as a decoder of piped bytes. A script stands in for the program where it must misbehave.
 */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ffmpegProgram } from '../../src/audio/ffmpeg/ffmpeg-program.js';
import { ffmpeg } from '../../src/sources/ffmpeg.js';
import { transcribe } from '../../src/transcribe.js';
import { decode } from '../../src/transforms/decode.js';
import { ffmpegPath, makeWithFfmpeg } from '../support/ffmpeg.js';
import { joined, pieces, through } from '../support/streams.js';
import { sine, wavFile } from '../support/wav-file.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-ffmpeg-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const environment = process.env.FFMPEG_PATH;
afterEach(() => {
  if (environment === undefined) delete process.env.FFMPEG_PATH;
  else process.env.FFMPEG_PATH = environment;
});

const tone = wavFile([sine(440, 1, 16_000)], { bits: 32, format: 'float' });
/** The first bytes of a file of Sun's audio, so that decode chooses ffmpeg; the stand-in does not read them. */
const sun = Buffer.concat([Buffer.from('.snd\0\0\0\x18\xff\xff', 'latin1'), Buffer.alloc(5000)]);

/** A program in place of ffmpeg. `code` sees `args`, and `tone`, a second of WAV. */
function standIn(name: string, code: string): string {
  const file = path.join(folder, name);
  writeFileSync(path.join(folder, 'tone.wav'), tone);
  writeFileSync(
    file,
    `#!${process.execPath}\nconst fs = require('node:fs');\nconst args = process.argv.slice(2);\n` +
      `const tone = fs.readFileSync(${JSON.stringify(path.join(folder, 'tone.wav'))});\n${code}\n`,
  );
  chmodSync(file, 0o755);
  return file;
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function failure(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => expect.unreachable('it succeeded'),
    (error: Error) => error,
  );
}

/** Reads to the end or the error; gives both. */
async function drain(source: Readable): Promise<{ bytes: number; error?: Error & { code?: string } }> {
  let bytes = 0;
  try {
    for await (const piece of source) bytes += (piece as Buffer).length;
    return { bytes };
  } catch (error) {
    return { bytes, error: error as Error };
  }
}

describe('ffmpeg(), with a stand-in', () => {
  test('is told the stream, the start, the duration, and of a file with its protocol', async () => {
    const program = standIn('args', 'process.stdout.write(JSON.stringify(args));');
    const options = { track: 2, start: 1.5, duration: 3, ffmpegPath: program };
    const args = JSON.parse((await buffer(ffmpeg('-y', options))).toString()) as string[];
    const following = (name: string) => args[args.indexOf(name) + 1];
    expect(following('-i')).toBe(`file:${path.resolve('-y')}`);
    expect(following('-map')).toBe('0:a:2');
    expect(following('-ss')).toBe('1.5');
    expect(following('-t')).toBe('3');
    expect(following('-protocol_whitelist')).toBe('file');
    const url = JSON.parse(
      (await buffer(ffmpeg('https://a.example/x', { ffmpegPath: program, start: 1 }))).toString(),
    ) as string[];
    expect(url).toContain('https://a.example/x');
    expect(url).not.toContain('-protocol_whitelist');
  });

  test('an exit code is an error with what ffmpeg said, after all that it gave', async () => {
    process.env.FFMPEG_PATH = standIn(
      'code',
      "fs.writeSync(1, tone); fs.writeSync(2, 'moov atom not found'); process.exitCode = 3;",
    );
    const { bytes, error } = await drain(ffmpeg('x.mp4'));
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error?.message).toMatch(/exit code 3.*moov atom not found/s);
    expect(bytes).toBe(tone.length);
  });

  test('transcribe() keeps what was heard before the failure', async () => {
    process.env.FFMPEG_PATH = standIn('half', 'fs.writeSync(1, tone); process.exit(1);');
    const file = path.join(folder, 'x.au');
    writeFileSync(file, sun);
    expect(await failure(transcribe(file))).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  });

  test('a signal is reported', async () => {
    process.env.FFMPEG_PATH = standIn(
      'signal',
      "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 1e5);",
    );
    expect((await failure(buffer(ffmpeg('x.mp4')))).message).toContain('SIGTERM');
  });

  test('a missing program says what to install, and what works without it', async () => {
    process.env.FFMPEG_PATH = path.join(folder, 'nothing-here');
    const error = await failure(buffer(ffmpeg('x.mp4')));
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_MISSING_DEPENDENCY' });
    expect(error.message).toMatch(
      /Install it.*WAV, FLAC, MP3, Ogg\/Opus, WebM\/Opus and raw PCM are read without it/s,
    );
  });

  test.each(['destroy', 'abort'])('%s kills the process before the stream closes', async (how) => {
    const pidFile = path.join(folder, `pid-${how}`);
    process.env.FFMPEG_PATH = standIn(
      `stall-${how}`,
      `fs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); fs.writeSync(1, tone); setInterval(() => {}, 1e5);`,
    );
    const controller = new AbortController();
    const source = ffmpeg('x.mp4', { signal: controller.signal });
    const closed = new Promise((resolve) => source.on('error', () => {}).once('close', resolve));
    await new Promise((resolve) => source.once('data', resolve));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(alive(pid)).toBe(true);
    if (how === 'destroy') source.destroy();
    else controller.abort();
    await closed;
    expect(alive(pid)).toBe(false);
    if (how === 'abort') expect(source.errored).toMatchObject({ code: 'ERR_PARAKEET_ABORTED' });
  });

  test('is read no faster than it is taken', async () => {
    const count = path.join(folder, 'count');
    process.env.FFMPEG_PATH = standIn(
      'flood',
      `let n = 0; const more = () => { n++; fs.writeFileSync(${JSON.stringify(count)}, String(n)); process.stdout.write(Buffer.alloc(65536), more); }; more();`,
    );
    const source = ffmpeg('x.mp4');
    await new Promise((resolve) => source.once('readable', resolve));
    await sleep(300);
    expect(Number(readFileSync(count, 'utf8'))).toBeLessThan(20);
    source.destroy();
    await new Promise((resolve) => source.once('close', resolve));
  });

  test('an input that fails is the error, after what came before it', async () => {
    process.env.FFMPEG_PATH = standIn('copy', 'process.stdin.pipe(process.stdout);');
    const input = Readable.from(
      (async function* () {
        yield tone;
        throw new Error('the line is dead');
      })(),
    );
    const { bytes, error } = await drain(ffmpeg(input));
    expect(error?.message).toBe('the line is dead');
    expect(bytes).toBe(tone.length);
  });

  test('may have enough before its input ends', async () => {
    process.env.FFMPEG_PATH = standIn(
      'enough',
      'process.stdin.once("data", () => { fs.writeSync(1, tone); process.exit(0); });',
    );
    const input = new Readable({ read() {} });
    input.push(Buffer.alloc(100_000));
    expect(await buffer(ffmpeg(input))).toHaveLength(tone.length);
    expect(input.destroyed).toBe(true);
  });

  test.each([
    [{ track: -1 }, 'track'],
    [{ start: -1 }, 'start'],
    [{ duration: Number.NaN }, 'duration'],
    [{ strat: 1 }, 'strat'],
  ])('%o makes no sense', (options, name) => {
    expect(() => ffmpeg('x.mp4', options as object)).toThrow(name);
  });
});

describe('decode, through a stand-in', () => {
  test('any split of the bytes gives the samples', async () => {
    process.env.FFMPEG_PATH = standIn(
      'decode',
      "let n = 0; process.stdin.on('data', (b) => { n += b.length; }).on('end', () => { if (n !== 5010) process.exitCode = 9; fs.writeSync(1, tone); });",
    );
    for (const size of [1, 777, 100_000]) {
      const { items, error } = await through(pieces(sun, size), decode());
      expect(error).toBeUndefined();
      expect(joined(items)[0]).toEqual(Float32Array.from(sine(440, 1, 16_000)));
    }
  });

  test('a failure comes after what was heard', async () => {
    process.env.FFMPEG_PATH = standIn(
      'broken',
      "fs.writeSync(1, tone); fs.writeSync(2, 'bad frame'); process.exit(1);",
    );
    const { items, error } = await through(pieces(sun, 1000), decode());
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect((error as Error).message).toContain('bad frame');
    expect(joined(items)[0]).toHaveLength(16_000);
  });

  test('without the program', async () => {
    process.env.FFMPEG_PATH = path.join(folder, 'nothing-here');
    const { error } = await through(pieces(sun, 1000), decode());
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_MISSING_DEPENDENCY' });
  });
});

describe('an exit code of 0 is no proof', () => {
  test.each([
    [
      'an error in the log',
      "fs.writeSync(1, tone); fs.writeSync(2, '[aac @ 0x1f] [error] Input buffer exhausted\\n');",
      /aac: Input buffer exhausted/,
      1,
    ],
    ['no sound', 'fs.writeSync(1, tone.subarray(0, 44));', /found none/, 0],
    ['nothing at all', '', /found none/, 0],
    [
      'less sound than the container says',
      'fs.writeSync(2, "[info] Input #0, aiff, from \'x\':\\n[info]   Duration: 00:00:03.00, start: 0.000000\\n[info]     Stream #0:0: Audio: pcm\\n"); fs.writeSync(1, tone);',
      /Expected 3 s of sound/,
      1,
    ],
  ])('%s', async (name, code, message, seconds) => {
    process.env.FFMPEG_PATH = standIn(`proof-${name.replaceAll(' ', '-')}`, code);
    const { bytes, error } = await drain(ffmpeg('x.mp4'));
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error?.message).toMatch(message);
    if (seconds > 0) expect(bytes).toBe(tone.length);
    const { items, error: other } = await through(pieces(sun, 1000), decode());
    expect(other?.message).toMatch(message);
    expect(joined(items)[0]?.length ?? 0).toBe(seconds * 16_000);
  });

  test.each([
    [
      'errors about the pictures',
      '[h264 @ 0x1] [error] non-existing PPS 0 referenced\\n[vist#0:0/h264 @ 0x2] [error] Error submitting packet\\n',
    ],
    ['warnings', '[mp3 @ 0x1] [warning] Estimating duration from bitrate\\n'],
    [
      'a film that is longer than its sound',
      "[info] Input #0, mov, from 'x':\\n[info]   Duration: 00:00:09.00, start: 0\\n[info]     Stream #0:0: Video: h264\\n[info]     Stream #0:1: Audio: aac\\n",
    ],
  ])('%s are no failure', async (name, log) => {
    process.env.FFMPEG_PATH = standIn(
      `fine-${name.replaceAll(' ', '-')}`,
      `fs.writeSync(2, "${log}"); fs.writeSync(1, tone);`,
    );
    expect(await drain(ffmpeg('x.mp4'))).toEqual({ bytes: tone.length });
  });

  test('nor is a start behind the end', async () => {
    process.env.FFMPEG_PATH = standIn('behind', 'fs.writeSync(1, tone.subarray(0, 44));');
    expect(await drain(ffmpeg('x.mp4', { start: 100 }))).toEqual({ bytes: 44 });
  });

  test('the log tells how long the sound is', async () => {
    process.env.FFMPEG_PATH = standIn(
      'duration',
      'fs.writeSync(2, "[info] Input #0, mov, from \'x\':\\n[info]   Duration: 00:01:01.50, start: 0\\n"); setTimeout(() => fs.writeSync(1, tone), 100);',
    );
    for (const [options, seconds] of [
      [{}, 61.5],
      [{ start: 60 }, 1.5],
      [{ start: 10, duration: 2 }, 2],
    ] as const) {
      const source = ffmpeg('x.mp4', options);
      const told: number[] = [];
      source.on('duration', (duration: number) => told.push(duration));
      await drain(source);
      expect(told).toEqual([seconds]);
      expect(source.duration).toBe(seconds);
    }
  });
});

describe('which program', () => {
  const { PATH } = process.env;
  const directory = process.cwd();
  afterEach(() => {
    process.env.PATH = PATH;
    process.chdir(directory);
  });

  test('the one that is named, then FFMPEG_PATH, then PATH, then a package', () => {
    process.env.FFMPEG_PATH = '/a/ffmpeg';
    expect(ffmpegProgram('/b/ffmpeg')).toBe('/b/ffmpeg');
    expect(ffmpegProgram()).toBe('/a/ffmpeg');
    process.env.FFMPEG_PATH = '';
    const bin = mkdtempSync(path.join(folder, 'bin-'));
    process.env.PATH = bin;
    expect(ffmpegProgram()).toBe(ffmpegPath);
    writeFileSync(path.join(bin, 'ffmpeg'), '#!/bin/sh\n', { mode: 0o755 });
    expect(ffmpegProgram()).toBe('ffmpeg');
  });

  test('ffmpeg-static of the running project, unless its program was never fetched', () => {
    process.env.FFMPEG_PATH = '';
    process.env.PATH = '/nowhere';
    const project = mkdtempSync(path.join(folder, 'project-'));
    const module = path.join(project, 'node_modules', 'ffmpeg-static');
    mkdirSync(module, { recursive: true });
    const program = path.join(module, 'ffmpeg');
    writeFileSync(path.join(module, 'package.json'), '{"name":"ffmpeg-static","main":"index.js"}');
    writeFileSync(path.join(module, 'index.js'), `module.exports = ${JSON.stringify(program)};`);
    process.chdir(project);
    expect(ffmpegProgram()).toBe(ffmpegPath);
    writeFileSync(program, '', { mode: 0o755 });
    expect(ffmpegProgram()).toBe(program);
  });

  test('the one of @ffmpeg-installer/ffmpeg decodes', async () => {
    process.env.FFMPEG_PATH = '';
    process.env.PATH = '/nowhere';
    const file = path.join(folder, 'installer.au');
    makeWithFfmpeg('-i', path.join(import.meta.dirname, '..', 'audio', 'am_michael_05.flac'), file);
    expect((await transcribe(file)).text).not.toBe('');
  });
});

test.skipIf(process.platform === 'win32')(
  'ends with a parent that a signal kills, although its server stalls',
  async () => {
    const pidFile = path.join(folder, 'pid-stalled');
    const program = standIn(
      'stalled',
      `fs.writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 1e5);`,
    );
    const source = path.join(import.meta.dirname, '..', '..', 'dist', 'index.js');
    const script = `import { ffmpeg } from ${JSON.stringify(source)}; ffmpeg('https://a.example/x', { ffmpegPath: ${JSON.stringify(program)} }).resume();`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    const until = async (condition: () => boolean) => {
      while (!condition()) await sleep(20);
    };
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !alive(pid));
  },
);

describe('the real ffmpeg', () => {
  beforeEach(() => {
    process.env.FFMPEG_PATH = ffmpegPath;
  });
  const recording = path.join(import.meta.dirname, '..', 'audio', 'am_michael_05.flac');
  const made = (name: string) => path.join(folder, name);
  const names = ['a.mp3', 'a.m4a', 'a.webm', 'a.ogg', 'a.ts', 'a.aiff'];
  beforeAll(() => {
    for (const name of names) makeWithFfmpeg('-i', recording, made(name));
    const film = ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=3', '-i', recording];
    const hum = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=3'];
    makeWithFfmpeg(
      ...film,
      ...hum,
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-map',
      '2:a',
      '-c:v',
      'mpeg4',
      made('film.mkv'),
    );
  });

  const heard = async (source: AsyncIterable<Uint8Array>) => {
    const bytes: Uint8Array[] = [];
    for await (const piece of source) bytes.push(piece);
    const { items, error } = await through(bytes, decode());
    expect(error).toBeUndefined();
    const rate = items[0]?.sampleRate as number;
    const samples = joined(items)[0] as Float32Array;
    return { samples, rate, seconds: samples.length / rate };
  };

  test.each(names)('%s, by name and through a pipe', async (name) => {
    const words = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];
    const reference = words((await transcribe(recording)).text);
    const found = new Set(words((await transcribe(made(name))).text));
    // Codecs lose something: most of the words are the same.
    expect(reference.filter((word) => found.has(word)).length).toBeGreaterThan(0.6 * reference.length);
    const original = await heard(Readable.from([readFileSync(recording)]));
    const piped = await heard(Readable.from(pieces(readFileSync(made(name)), 10_000)));
    expect(Math.abs(piped.seconds - original.seconds)).toBeLessThan(0.15);
  });

  test('a film: its first audio stream, another one, a part of it', async () => {
    const first = await heard(ffmpeg(made('film.mkv')));
    const original = await heard(Readable.from([readFileSync(recording)]));
    expect(Math.abs(first.seconds - original.seconds)).toBeLessThan(0.15);
    const { samples, seconds } = await heard(ffmpeg(made('film.mkv'), { track: 1 }));
    const crossings = samples.filter((value, i) => value >= 0 && (samples[i - 1] ?? 0) < 0).length;
    expect(Math.abs(crossings / seconds - 440)).toBeLessThan(5);
    expect((await heard(ffmpeg(made('film.mkv'), { start: 1, duration: 0.5 }))).seconds).toBeCloseTo(0.5, 1);
    const error = await failure(buffer(ffmpeg(made('film.mkv'), { track: 7 })));
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    expect(error.message).toContain('matches no streams');
  });
});
