/**
 * Live streams follow speakers and levels, and are not upset by what comes between: a small version of bench/voices.mjs, on the bundled
 * model. Not how well they hear in general.
 */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mix, voicesOf } from '../../bench/mixes.mjs';
import { readRecordings, readSamples } from '../../bench/recordings.mjs';
import { editCounts, plainWords } from '../../bench/wer-metric.mjs';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { concat } from '../support/samples.js';
import { noise } from '../support/signals.js';
import { drain } from '../support/streams.js';

const RATE = 16_000;
let model: Model;
let recordings: { file: string; said: string; samples: Float32Array }[];

beforeAll(async () => {
  model = await loadModel(bundledModel(), { dtype: 'float32' });
  const rows = readRecordings(path.join(import.meta.dirname, '..', 'audio'));
  recordings = await Promise.all(
    rows.map(async (row) => ({ ...row, samples: await readSamples(row.file, RATE) })),
  );
});
afterAll(() => model.close());

async function listen(samples: Float32Array, latency: 'low' | 'balanced' = 'balanced') {
  await using live = model.transcribeStream({ latency });
  await live.addAudio(samples);
  await live.finish();
  return live.result;
}

const recording = (name: string) => {
  const found = recordings.find(({ file }) => file.includes(name));
  if (found === undefined) throw new Error(`No recording ${name}`);
  return found;
};
const louder = (samples: Float32Array, decibels: number) =>
  samples.map((sample) => sample * 10 ** (decibels / 20));
const count = (kind: 'deletions' | 'all', said: string, heard: string) => {
  const counts = editCounts(plainWords(said), plainWords(heard));
  return kind === 'all' ? counts.deletions + counts.insertions + counts.substitutions : counts.deletions;
};

test('in mixes of voices up to 30 dB apart, as few words are left out as offline', async () => {
  const voices = voicesOf(recordings, RATE);
  let words = 0;
  const left = { live: 0, offline: 0 };
  for (const [seed, speakers] of [
    [1, 2],
    [3, 4],
  ] as const) {
    const { samples, said } = mix(voices, { seed, speakers, seconds: 40, rate: RATE });
    words += plainWords(said).length;
    left.live += count('deletions', said, (await listen(samples)).text);
    left.offline += count('deletions', said, (await model.transcribe(samples)).text);
  }
  expect(words).toBeGreaterThan(200);
  expect(left.live).toBeLessThanOrEqual(1.1 * left.offline + words / 100);
});

test('a voice 20 dB below the one before it is heard', async () => {
  const near = recording('2412-153948-0000');
  const far = recording('2412-153948-0001');
  const { tokens } = await listen(concat([near.samples, near.samples, louder(far.samples, -20)]));
  const begin = (2 * near.samples.length) / RATE;
  const heard = tokens.flatMap(({ start, text }) => (start >= begin ? [text] : [])).join('');
  expect(count('deletions', far.said, heard)).toBeLessThanOrEqual(2);
});

describe('the level of the sound does not matter', () => {
  test.each([-40, -20, 6])('%i dB: the same words live, from the first one on', async (decibels) => {
    const { samples } = recording('jfk');
    const before = await listen(samples, 'low');
    const after = await listen(louder(samples, decibels), 'low');
    expect(after.text).toBe(before.text);
    expect(before.tokens[0]?.start).toBeLessThan(1);
  });

  test.each([-40, -20, 6])('%i dB: the same words in a whole recording', async (decibels) => {
    const { samples } = recording('2412-153948-0000');
    const { text } = await model.transcribe(louder(samples, decibels));
    expect(text).toBe((await model.transcribe(samples)).text);
  });

  test('a quiet microphone is told from its noise: speechStart and speechEnd at −40 dB', async () => {
    const times = async (decibels: number) => {
      const speech = recording('bf_emma').samples;
      const room = noise(3 * RATE, 1e-3);
      const samples = louder(concat([room, speech, room]), decibels);
      const line = parakeet({ model, input: { format: 'f32le', sampleRate: RATE, channels: 1 } });
      line.end(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
      const { items } = await drain(line);
      return items.flatMap((event) =>
        event.type === 'speechStart' || event.type === 'speechEnd' ? [[event.type, event.time]] : [],
      );
    };
    const [quiet, usual] = [await times(-40), await times(0)];
    expect(usual.length).toBeGreaterThan(2);
    expect(quiet.map(([type]) => type)).toEqual(usual.map(([type]) => type));
    quiet.forEach(([, time], i) => {
      expect(Math.abs((time as number) - (usual[i]?.[1] as number))).toBeLessThan(0.2);
    });
  });
});

describe('what comes after is heard as well as alone, after', () => {
  test.each<[string, () => Float32Array]>([
    ['a minute of digital silence', () => new Float32Array(60 * RATE)],
    ['a minute of a quiet room', () => noise(60 * RATE, 1e-3)],
    ['two seconds of loud noise', () => noise(2 * RATE, 0.5)],
  ])('%s', async (_, between) => {
    const first = recording('2412-153948-0000').samples;
    const { said, samples } = recording('2412-153948-0001');
    const alone = count('all', said, (await listen(samples)).text);
    const sound = between();
    const { tokens } = await listen(concat([first, sound, samples]));
    const begin = (first.length + sound.length) / RATE;
    const heard = tokens.flatMap(({ start, text }) => (start >= begin - 0.08 ? [text] : [])).join('');
    expect(count('all', said, heard)).toBeLessThanOrEqual(alone + 2);
  });
});
