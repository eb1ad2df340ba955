/**
 * Mel frames between `logMel` and `encode`: they are not copied to JavaScript unless somebody looks, and who looks or changes them is
 * heeded.
 */
import { Transform } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { NativeFrames } from '../../src/engine/addon.js';
import type { MelChunk } from '../../src/events.js';
import { encode } from '../../src/transforms/encode.js';
import { logMel } from '../../src/transforms/log-mel.js';
import { NativeMelChunk } from '../../src/transforms/mel-chunk.js';
import { tokenDecode } from '../../src/transforms/token-decode.js';
import { fakeModel, loud } from '../support/fake-native.js';
import { through } from '../support/streams.js';

function nativeFrames(...values: number[]) {
  const frames = {
    copies: 0,
    rows: values.length,
    data() {
      frames.copies++;
      return Float32Array.from(values);
    },
  };
  return frames;
}

describe('a chunk of native frames', () => {
  test('that nobody has read is handed on as it is', () => {
    const frames = nativeFrames(1, 2);
    const chunk = new NativeMelChunk(frames, 1, 7, { end: { samples: 3 } });
    expect(NativeMelChunk.frames(chunk)).toBe(frames);
    expect(frames.copies).toBe(0);
    expect(chunk).toMatchObject({ frames: 2, features: 1, firstFrame: 7, end: { samples: 3 } });
  });

  test('is copied once, and what is written into the copy counts', () => {
    const frames = nativeFrames(1, 2);
    const chunk = new NativeMelChunk(frames, 1, 0);
    chunk.data[0] = 5;
    expect(NativeMelChunk.frames(chunk)).toEqual(Float32Array.of(5, 2));
    expect(frames.copies).toBe(1);
  });

  test('whose data is replaced has the other data', () => {
    const frames = nativeFrames(1, 2);
    const chunk = new NativeMelChunk(frames, 1, 0);
    chunk.data = Float32Array.of(3, 4);
    expect(chunk.data).toEqual(Float32Array.of(3, 4));
    expect(NativeMelChunk.frames(chunk)).toBe(chunk.data);
    expect(frames.copies).toBe(0);
  });

  test('can be spread and cloned like a plain object', () => {
    const chunk = new NativeMelChunk(nativeFrames(1, 2), 1, 0);
    const plain = { data: Float32Array.of(1, 2), frames: 2, features: 1, firstFrame: 0 };
    expect({ ...chunk }).toEqual(plain);
    expect(structuredClone(chunk)).toEqual(plain);
  });
});

/** What the native encoder was given, chunk by chunk, and its frames as numbers. */
async function given(...between: Transform[]) {
  const model = fakeModel();
  const all: (NativeFrames | Float32Array)[] = [];
  const { createEncoder } = model.native;
  model.native.createEncoder = (options) => {
    const native = createEncoder(options);
    const push = native.push.bind(native);
    native.push = (frames) => {
      all.push(frames);
      push(frames);
    };
    return native;
  };
  const first = logMel(model, { flushSilence: 0 });
  const last = encode(model, { chunk: 2, lookahead: 1 });
  const line = [first, ...between, last, tokenDecode(model)];
  line.reduce((from, to) => from.pipe(to as typeof last) as typeof from, line.shift() as typeof first);
  const decoder = line.at(-1) as ReturnType<typeof tokenDecode>;
  const samples = loud(0.5);
  first.end({ channels: [samples], sampleRate: 16_000 });
  for await (const _ of decoder);
  const data = all.map((frames) => (frames instanceof Float32Array ? frames : frames.data()));
  return { all, loudness: data.flatMap((frames) => [...frames]).filter((_, i) => i % 2 === 0) };
}

const each = (change: (chunk: MelChunk) => MelChunk) =>
  new Transform({
    objectMode: true,
    transform: (chunk: MelChunk, _encoding, callback) => callback(null, change(chunk)),
  });

describe('between logMel and encode', () => {
  test('the frames stay native', async () => {
    const { all, loudness } = await given();
    expect(all.some((frames) => frames instanceof Float32Array)).toBe(false);
    expect(loudness).toEqual(Array(50).fill(0.5));
  });

  test.each([
    [
      'writes into the data',
      (chunk: MelChunk) => Object.assign(chunk, { data: chunk.data.map((x) => x / 2) }),
    ],
    ['makes chunks of its own', (chunk: MelChunk) => ({ ...chunk, data: chunk.data.map((x) => x / 2) })],
    [
      'changes the data in place',
      (chunk: MelChunk) => {
        for (let i = 0; i < chunk.data.length; i += 2) (chunk.data[i] as number) /= 2;
        return chunk;
      },
    ],
  ])('a stage that %s is heeded', async (_, change) => {
    const { loudness } = await given(each(change));
    expect(loudness).toEqual(Array(50).fill(0.25));
  });

  test('frames of another width are refused, native ones too', async () => {
    const chunk = new NativeMelChunk(nativeFrames(1, 2), 3, 0);
    const stage = encode(fakeModel(), { chunk: 2, lookahead: 1 });
    const { error } = await through([chunk], stage);
    expect(error).toMatchObject({ message: expect.stringMatching(/2 mel features/) });
  });
});
