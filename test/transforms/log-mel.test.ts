/**
 * The stream around the native log-mel: numbering, the flush, the end, wrong input, what it gives back.
 */
import { describe, expect, test } from 'vitest';
import type { MelChunk } from '../../src/events.js';
import { logMel } from '../../src/transforms/log-mel.js';
import { fakeModel, loud } from '../support/fake-native.js';
import { through } from '../support/streams.js';

const chunk = (samples: Float32Array, sampleRate = 16_000) => ({ channels: [samples], sampleRate });

/** Frames one after the other, whatever the chunks. */
function frames(chunks: MelChunk[]): number[] {
  let next = 0;
  return chunks.flatMap((mel) => {
    expect(mel.firstFrame).toBe(next);
    expect(mel.data.length).toBe(mel.frames * mel.features);
    next += mel.frames;
    return [...mel.data];
  });
}

describe('frames', () => {
  test('are the same for any split, and numbered without a gap', async () => {
    const samples = loud(0.5);
    const whole = frames((await through([chunk(samples)], logMel(fakeModel()))).items);
    for (const size of [1, 33, 160, 1000]) {
      const parts = [];
      for (let at = 0; at < samples.length; at += size) parts.push(chunk(samples.subarray(at, at + size)));
      expect(frames((await through(parts, logMel(fakeModel()))).items)).toEqual(whole);
    }
  });

  test('the last chunk has the number of samples, and the flush makes frames without counting as samples', async () => {
    const { items } = await through([chunk(loud(0.1))], logMel(fakeModel(), { flushSilence: 0.5 }));
    expect(items.at(-1)?.end).toEqual({ samples: 1600 });
    expect(items.slice(0, -1).every((mel) => mel.end === undefined)).toBe(true);
    expect(frames(items).length / 2).toBe(60);
  });

  test('no audio: one chunk without frames', async () => {
    const { items } = await through([], logMel(fakeModel()));
    expect(items).toEqual([
      { data: new Float32Array(0), frames: 0, features: 2, firstFrame: 0, end: { samples: 0 } },
    ]);
  });
});

describe('wrong input', () => {
  test.each([
    ['stereo', { channels: [loud(0.1), loud(0.1)], sampleRate: 16_000 }],
    ['another rate', chunk(loud(0.1), 8000)],
  ])('%s: an error that says to resample, and the session is given back', async (_, input) => {
    const model = fakeModel();
    const { error } = await through([input], logMel(model));
    expect(error).toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringMatching(/resample\(16000\)/),
    });
    expect(model.counts.open).toBe(0);
  });

  test.each([{ flushSilence: 11 }, { flushSilence: '1' }, { flush: 1 }])(
    '%j is refused, and opens no session',
    (options) => {
      const model = fakeModel();
      expect(() => logMel(model, options as never)).toThrow(
        expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' }),
      );
      expect(model.counts.open).toBe(0);
    },
  );
});
