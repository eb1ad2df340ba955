/** A flush brings out all that can be decoded of the bytes so far, and what follows goes on as if nothing had been. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel } from '../../src/load-model.js';
import { DEFAULT_SILENCE } from '../../src/model/latency.js';
import { melFrames } from '../../src/model/streaming-options.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { type Decode, decode } from '../../src/transforms/decode.js';
import { FlushMark } from '../../src/transforms/flush-mark.js';
import { oggOpus, webmOpus } from '../support/containers.js';
import { fakeModel } from '../support/fake-native.js';
import { ffmpegPath, makeWithFfmpeg } from '../support/ffmpeg.js';
import { encodeOpus, OPUS_DELAY } from '../support/opus.js';
import { sine, wavFile } from '../support/wav-file.js';

const length = 3 * 48_000;
const packets = encodeOpus([sine(440, 3, 48_000)]);
const read = (name: string) => readFileSync(new URL(name, import.meta.url));

/** Files, and the most seconds that may be missing from what is evenly spread over them. */
const files: [string, Uint8Array, number][] = [
  ['WAV', wavFile([sine(440, 3, 16_000)]), 0.1],
  ['FLAC', read('../audio/jfk.flac'), 0.3],
  ['MP3', read('../fixtures/chirp.mp3'), 0.1],
  ['WebM', webmOpus(packets, { preSkip: OPUS_DELAY }), 0.1],
  ['Ogg', oggOpus(packets, { preSkip: OPUS_DELAY, length: length - OPUS_DELAY }), 0.2],
];

/** Writes the parts with a flush behind each; gives the samples after each flush, and all of them. */
async function flushed(parts: Uint8Array[]) {
  const stage = decode() as Decode;
  const values: number[] = [];
  const counts: number[] = [];
  const over = new Promise<void>((resolve, reject) => stage.on('end', resolve).on('error', reject));
  stage.on('data', (chunk: { channels: Float32Array[] } | FlushMark) => {
    if (chunk instanceof FlushMark) chunk.passed();
    else values.push(...(chunk.channels[0] as Float32Array));
  });
  for (const part of parts) {
    await new Promise<void>((resolve) => stage.write(part, () => resolve()));
    await new Promise<void>((resolve) => void stage.flush(new FlushMark(resolve)));
    counts.push(values.length);
  }
  stage.end();
  await over;
  return { counts, samples: Float32Array.from(values) };
}

describe.each(files)('%s', (_name, file, most) => {
  test('gives what is whole, and the same samples in all', async () => {
    const whole = await flushed([file]);
    const rate = whole.samples.length > 100_000 && _name !== 'FLAC' ? 48_000 : 16_000;
    for (const share of [0.9, 0.91, 0.97]) {
      const at = Math.floor(file.length * share);
      const { counts, samples } = await flushed([file.subarray(0, at), file.subarray(at)]);
      expect(samples).toEqual(whole.samples);
      // Of a file whose bytes are evenly spread in time.
      if (_name !== 'WebM') expect(counts[0]).toBeGreaterThan(share * samples.length - most * rate);
    }
  });
});

test('a FLAC frame that is whole comes out although nothing follows it', async () => {
  const file = read('../audio/jfk.flac');
  const next = file.indexOf(Buffer.from([0xff, 0xf8]), 100_000);
  const { counts } = await flushed([file.subarray(0, next), file.subarray(next)]);
  const more = await flushed([file.subarray(0, next + 20), file.subarray(next + 20)]);
  expect(counts[0]).toBe(more.counts[0]);
});

describe('of a transcript', () => {
  let model: Model;
  const before = process.env.FFMPEG_PATH;
  const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-flush-'));
  const made = path.join(folder, 'a.aac');
  const opus = path.join(folder, 'a.webm');
  beforeAll(async () => {
    process.env.FFMPEG_PATH = ffmpegPath;
    const speech = new URL('../audio/jfk.flac', import.meta.url).pathname;
    makeWithFfmpeg('-i', speech, '-c:a', 'aac', made);
    makeWithFfmpeg('-i', speech, '-c:a', 'libopus', opus);
    model = await loadModel(bundledModel());
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.FFMPEG_PATH;
    else process.env.FFMPEG_PATH = before;
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(['live', 'file'] as const)(
    "what waits to be decoded is heard too, with mode '%s'",
    async (mode) => {
      // Small pieces fit the decoder's buffer, so all writes are taken before anything is decoded.
      const stream = parakeet({ model, mode });
      let text = '';
      stream.on('data', (event) => {
        if (event.type === 'token') text += event.token.text;
      });
      const file = readFileSync(opus);
      for (let at = 0; at < file.length; at += 1000) {
        if (!stream.write(file.subarray(at, at + 1000))) await once(stream, 'drain');
      }
      await stream.flush();
      stream.destroy();
      expect(text).toMatch(/country\.?\s*$/);
    },
  );

  async function said(file: Uint8Array, options = {}) {
    const stream = parakeet({ model, ...options });
    let text = '';
    stream.on('data', (event) => {
      if (event.type === 'token') text += event.token.text;
    });
    // All but the file's end: the last word has been said.
    stream.write(file.subarray(0, Math.floor(file.length * 0.99)));
    await stream.flush();
    stream.destroy();
    return text;
  }

  test.each(['FLAC', 'AAC through ffmpeg'])('%s: the last word is there', async (name) => {
    const file = name === 'FLAC' ? read('../audio/jfk.flac') : readFileSync(made);
    expect(await said(file)).toMatch(/country\.?\s*$/);
  });
});

test.each([undefined, 0, 3])("of a transcript takes the user's silence.flush: %s", async (flush) => {
  const model = fakeModel();
  const frames: number[] = [];
  const { createEncoder } = model.native;
  model.native.createEncoder = (...args) => {
    const native = createEncoder.apply(model.native, args);
    const flush = native.flush.bind(native);
    native.flush = (count) => {
      frames.push(count);
      flush(count);
    };
    return native;
  };
  const stream = parakeet({ model, silence: { flush } });
  stream.resume();
  stream.write(wavFile([sine(440, 1, model.info.sampleRate)], { sampleRate: model.info.sampleRate }));
  await stream.flush();
  stream.destroy();
  expect(frames).toEqual([melFrames(model.info, flush ?? DEFAULT_SILENCE.flush)]);
});
