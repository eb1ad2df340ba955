/** What a file is, by its first bytes: what nothing of ours knows is ffmpeg's to find out, and raw PCM only when nothing else can be. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAudioFile } from '../../src/sources/audio-file.js';
import { decode } from '../../src/transforms/decode.js';
import { Recogniser } from '../../src/audio/formats/recognise.js';
import { ffmpegPath, makeWithFfmpeg } from '../support/ffmpeg.js';
import { joined, pieces, through } from '../support/streams.js';
import { wavFile } from '../support/wav-file.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-marks-'));
const made = (name: string) => path.join(folder, name);
const recording = path.join(import.meta.dirname, '..', 'audio', 'am_michael_05.flac');
const before = process.env.FFMPEG_PATH;
const recipes: Record<string, string[]> = {
  'a.m2ts': ['-c:a', 'ac3', '-f', 'mpegts', '-mpegts_m2ts_mode', '1'],
  'a.ts': ['-c:a', 'aac'],
  'a.w64': [],
  'a.voc': [],
  'a.dts': ['-c:a', 'dca', '-strict', '-2', '-ar', '48000'],
  'a.amr': ['-c:a', 'libopencore_amrnb', '-ar', '8000'],
  'ima.wav': ['-c:a', 'adpcm_ima_wav'],
  'adpcm.wav': ['-c:a', 'adpcm_ms'],
  'a.aiff': [],
  'a.au': [],
  'a.ac3': [],
  'a.aac': [],
  'a.flv': ['-ar', '22050', '-c:a', 'aac'],
  'a.mpg': ['-c:a', 'mp2'],
  'a.tta': [],
};
const live = { unmarked: 's16le', sampleRate: 16_000 } as const;
let seconds = 0;

async function heard(bytes: Uint8Array, options = {}, size = 5000) {
  const { items, error } = await through(pieces(bytes, size), decode(options));
  return { seconds: (joined(items)[0]?.length ?? 0) / (items[0]?.sampleRate ?? 1), error };
}

beforeAll(async () => {
  process.env.FFMPEG_PATH = ffmpegPath;
  for (const [name, args] of Object.entries(recipes)) makeWithFfmpeg('-i', recording, ...args, made(name));
  seconds = (await heard(readFileSync(recording))).seconds;
});
afterAll(() => {
  if (before === undefined) delete process.env.FFMPEG_PATH;
  else process.env.FFMPEG_PATH = before;
  rmSync(folder, { recursive: true, force: true });
});

test.each(Object.keys(recipes))('%s is heard, also where raw PCM is expected', async (name) => {
  const bytes = readFileSync(made(name));
  for (const options of [{}, live]) {
    const { seconds: found, error } = await heard(bytes, options);
    expect(error).toBeUndefined();
    expect(Math.abs(found - seconds)).toBeLessThan(0.2);
  }
});

test('segments without their beginning are refused by ffmpeg, not taken for PCM', async () => {
  makeWithFfmpeg('-i', recording, '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+dash', made('a.mp4'));
  const whole = readFileSync(made('a.mp4'));
  const styp = Buffer.from('\0\0\0\x18stypmsdh\0\0\0\0msdhmsix', 'latin1');
  const segment = Buffer.concat([styp, whole.subarray(whole.indexOf('moof') - 4)]);
  for (const options of [{}, live]) {
    expect((await heard(segment, options)).error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
  }
});

describe('bytes that nothing knows', () => {
  let state = 7;
  const noise = Buffer.alloc(20_000).map(() => {
    state = (state * 48_271) % 0x7fffffff;
    return state >> 8;
  });
  noise[0] = 1;

  test('as evenly spread as those of a compressed file are no PCM', async () => {
    for (const size of [100, 20_000]) {
      const { error, seconds } = await heard(noise, live, size);
      expect(error).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
      expect(error?.message).toMatch(/unknown bytes \(01 .*ffmpeg cannot read either/);
      expect(seconds).toBe(0);
    }
  });

  test('are asked of ffmpeg, by name too', async () => {
    const { error } = await heard(noise);
    expect(error?.message).toMatch(/ffmpeg cannot read either/);
    writeFileSync(made('noise'), noise);
    const { bytes } = await openAudioFile(made('noise'), 'auto');
    await expect(bytes.toArray()).rejects.toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
  });

  test('loud and soft sound is PCM', async () => {
    const wide = wavFile([
      Float32Array.from({ length: 8000 }, (_, i) => 0.9 * Math.sin(i * 0.7) * Math.sin(i * 0.013)),
    ]);
    const gaussian = wavFile([
      Float32Array.from(
        { length: 8000 },
        (_, i) => 0.12 * (Math.sin(i * i) + Math.sin(i * i * 1.7) + Math.sin(i * i * 2.3)),
      ),
    ]);
    for (const file of [wide, gaussian]) {
      const { error, seconds } = await heard(file.subarray(44), live);
      expect(error).toBeUndefined();
      expect(seconds).toBeCloseTo(0.5, 6);
    }
  });
});

test('the pieces make no difference', () => {
  const files = ['a.m2ts', 'a.aac', 'ima.wav', 'a.flv'].map((name) => readFileSync(made(name)));
  for (const file of [...files, Buffer.alloc(70_000), readFileSync(recording)]) {
    const kinds = [1, 7, 389, 5000, file.length].map((size) => {
      const recogniser = new Recogniser();
      for (const piece of pieces(file.subarray(0, 70_000), size)) {
        const found = recogniser.push(piece);
        if (found) return found.kind;
      }
      return recogniser.end()?.kind;
    });
    expect(new Set(kinds).size).toBe(1);
  }
});

test.each([
  ['gzip', [0x1f, 0x8b, 8]],
  ['zip', [0x50, 0x4b, 3, 4]],
  ['a program', [0x7f, 0x45, 0x4c, 0x46]],
])('%s is not taken for raw PCM, however unevenly its bytes are spread', async (_name, mark) => {
  const { items, error } = await through([Buffer.from([...mark, ...Array(9000).fill(3)])], decode(live));
  expect(items).toEqual([]);
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' });
});
