/**
 * Files that ffmpeg reads, whole and cut short, by name and through a pipe: those that need seeking are stored, and none that lacks
 * something ends as if nothing were wrong.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StreamWalk, walkFile } from '../../src/audio/containers/walk.js';
import { walkerFor } from '../../src/audio/containers/walker-for.js';
import { ffmpeg } from '../../src/sources/ffmpeg.js';
import { transcribe } from '../../src/transcribe.js';
import { decode } from '../../src/transforms/decode.js';
import { ffmpegPath, makeWithFfmpeg } from '../support/ffmpeg.js';
import { drain, joined, pieces, through } from '../support/streams.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-containers-'));
const spools = path.join(folder, 'spools');
const made = (name: string) => path.join(folder, name);
const before = { ffmpeg: process.env.FFMPEG_PATH, tmp: process.env.TMPDIR };
const recording = path.join(import.meta.dirname, '..', 'audio', 'jfk.flac');
const SECONDS = 11;

/** Names, what makes them, and the kinds of file that each stands for. */
const recipes: Record<string, string[]> = {
  'end.m4a': ['-c:a', 'aac'],
  'front.m4a': ['-c:a', 'aac', '-movflags', '+faststart'],
  'fragments.mp4': ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov'],
  'film.mov': ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=14', '-c:v', 'mpeg4', '-c:a', 'aac'],
  'vorbis.ogg': ['-c:a', 'libvorbis'],
  'vorbis.mka': ['-c:a', 'libvorbis'],
  'a.aiff': [],
  'a.wma': [],
  'a.ts': ['-c:a', 'aac'],
  'a.caf': [],
  'a.w64': [],
  'adpcm.wav': ['-c:a', 'adpcm_ms'],
  'a.au': [],
  'a.flv': ['-ar', '22050', '-c:a', 'aac'],
  'a.aac': [],
  'a.ac3': [],
  'a.avi': ['-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=5:duration=11', '-c:v', 'mpeg4', '-c:a', 'mp2'],
};

beforeAll(() => {
  process.env.FFMPEG_PATH = ffmpegPath;
  for (const [name, args] of Object.entries(recipes)) makeWithFfmpeg('-i', recording, ...args, made(name));
  makeWithFfmpeg('-i', recording, '-c:a', 'wavpack', made('a.wv'));
});
afterAll(() => {
  for (const [name, value] of [
    ['FFMPEG_PATH', before.ffmpeg],
    ['TMPDIR', before.tmp],
  ] as const) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true, force: true });
});

/** Decodes bytes that come through a pipe. */
async function piped(bytes: Uint8Array, options = {}, size = 10_000) {
  const { items, error } = await through(pieces(bytes, size), decode(options));
  const samples = joined(items)[0] ?? new Float32Array(0);
  return { samples, seconds: samples.length / (items[0]?.sampleRate ?? 1), error };
}

/** Decodes what ffmpeg gives of a name or a stream. */
async function named(source: Readable) {
  const stage = decode();
  source.on('error', (error) => stage.destroy(error)).pipe(stage);
  const { items, error } = await drain(stage);
  const samples = joined(items)[0] ?? new Float32Array(0);
  return { samples, seconds: samples.length / (items[0]?.sampleRate ?? 1), error };
}

describe.each([...Object.keys(recipes), 'a.wv'])('%s', (name) => {
  test('whole: all of it, by name and through a pipe', async () => {
    const byName = await named(ffmpeg(made(name)));
    expect(byName.error).toBeUndefined();
    expect(Math.abs(byName.seconds - SECONDS)).toBeLessThan(0.15);
    const byPipe = await piped(readFileSync(made(name)));
    expect(byPipe.error).toBeUndefined();
    expect(Math.abs(byPipe.seconds - SECONDS)).toBeLessThan(0.15);
  });

  // Frames one after the other say nothing of how many there are, and not every ffmpeg complains of the last one.
  if (name === 'a.ac3') return;
  test('cut short: what is there, then an error', async () => {
    const bytes = readFileSync(made(name));
    // Of a film, so late that the part of the pictures alone would do for the length.
    const cut = bytes.subarray(
      0,
      Math.floor(bytes.length * (name === 'end.m4a' || name === 'film.mov' ? 0.99 : 0.6)),
    );
    writeFileSync(made('cut'), cut);
    const byName = await named(ffmpeg(made('cut')));
    expect(byName.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    const byPipe = await piped(cut);
    expect(byPipe.error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
    // Without its index nothing of it can be heard.
    const heard = name === 'end.m4a' || name === 'film.mov' ? 0 : 1;
    expect(byPipe.seconds).toBeGreaterThanOrEqual(heard);
    if (name !== 'front.m4a') return;
    const error = await transcribe(made('cut')).then(
      () => undefined,
      (failure: Error) => failure,
    );
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  });
});

describe('a walk', () => {
  test.each(Object.keys(recipes))('of %s finds the same in a file and in any pieces', async (name) => {
    const bytes = readFileSync(made(name));
    const walker = walkerFor(bytes);
    if (!walker) return expect(['a.au', 'a.flv', 'a.aac', 'a.ac3']).toContain(name);
    for (const share of [1, 0.97, 0.5]) {
      const part = bytes.subarray(0, Math.floor(bytes.length * share));
      writeFileSync(made('part'), part);
      const handle = await open(made('part'));
      const inFile = await walkFile(walker, handle);
      await handle.close();
      for (const size of [1, 4099, part.length]) {
        const walk = new StreamWalk(walker);
        for (const piece of pieces(part, size)) walk.push(piece);
        walk.end();
        expect({ ...walk.findings, size: part.length }).toEqual(inFile);
      }
      expect(inFile.missing === undefined).toBe(share === 1);
    }
  });
});

describe('a container whose index lies at its end', () => {
  const stored = () => readdirSync(spools);
  let bytes: Buffer;
  beforeAll(() => {
    mkdirSync(spools);
    process.env.TMPDIR = spools;
    bytes = readFileSync(made('end.m4a'));
  });

  test('is heard through a pipe as by its name, for any pieces, and leaves nothing behind', async () => {
    const { samples } = await named(ffmpeg(made('end.m4a')));
    for (const size of [13, 5000, bytes.length]) {
      const heard = await piped(bytes, {}, size);
      expect(heard.error).toBeUndefined();
      expect(heard.samples).toEqual(samples);
    }
    const fromStream = await named(ffmpeg(Readable.from(pieces(bytes, 5000))));
    expect(fromStream.samples).toEqual(samples);
    expect(stored()).toEqual([]);
  });

  test('has no name while it is stored, so that nothing is left behind in any ending', async () => {
    const stage = decode();
    await new Promise<void>((resolve) => stage.write(bytes.subarray(0, bytes.length - 100), () => resolve()));
    expect(stored()).toEqual([]);
    expect(storedByUs()).toBe(process.platform === 'linux');
    stage.destroy();
    await new Promise((resolve) => stage.once('close', resolve));
    expect(storedByUs()).toBe(false);
    const source = ffmpeg(Readable.from([bytes]));
    source.resume().destroy();
    await new Promise((resolve) => source.once('close', resolve));
    expect(storedByUs()).toBe(false);
  });

  /** Whether this process holds a file of a spool open. Linux alone tells. */
  function storedByUs(): boolean {
    if (process.platform !== 'linux') return false;
    return readdirSync('/proc/self/fd').some((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`).includes('parakeet-spool-');
      } catch {
        return false;
      }
    });
  }

  test.each([0, 30_000])('beyond maxSpool (%i) is refused, and says what to do', async (maxSpool) => {
    const { error } = await piped(bytes, { maxSpool });
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
    expect(error?.message).toMatch(/maxSpool.*faststart/s);
    const other = await buffer(ffmpeg(Readable.from(pieces(bytes, 5000)), { maxSpool })).then(
      () => undefined,
      (failure: Error) => failure,
    );
    expect(other).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
    expect(stored()).toEqual([]);
  });

  test('that cannot be stored is an error', async () => {
    process.env.TMPDIR = path.join(folder, 'nowhere');
    try {
      const { error } = await piped(bytes);
      expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
    } finally {
      process.env.TMPDIR = spools;
    }
  });

  test('one of whom a second lies behind is heard, and the second is told', async () => {
    const front = readFileSync(made('front.m4a'));
    const { error, seconds } = await piped(Buffer.concat([front, front]));
    expect(error?.message).toMatch(/second file/);
    expect(seconds).toBeGreaterThan(SECONDS - 0.15);
  });
});
