/** Times are seconds since the beginning, after a day as after a minute. */
import { expect, test } from 'vitest';
import { loadModel } from '../../src/index.js';
import { samplesOf } from '../support/samples.js';
import { keep } from './keep.js';

keep('absolute-times');

test('a day with a sentence every hour: each has its words and its time', { timeout: 300_000 }, async () => {
  await using model = await loadModel();
  // Nobody speaks for most of the day: without the gate the model would listen to all of it, for minutes.
  await using live = model.live({ latency: 'low', silence: { gate: true } });
  const quiet = new Float32Array(600 * model.sampleRate);
  const spoken = quiet.slice();
  spoken.set(await samplesOf('af_sky_10.flac'), model.sampleRate);
  const hours = [];
  for (let hour = 0; hour < 24; hour++) {
    const before = live.finalizedTokens.length;
    for (const part of [spoken, quiet, quiet, quiet, quiet, quiet]) await live.addAudio(part);
    const heard = live.finalizedTokens.slice(before);
    hours.push({
      text: heard.map((token) => token.text).join(''),
      starts: heard.map((token) => token.start - 3600 * hour),
    });
  }
  // The first hour has no past: a frame more or less is right there.
  const [first, second] = hours;
  expect(first?.text).toBe(' He gave the sign to start.');
  for (const { text, starts } of hours.slice(1)) {
    expect(text).toBe(first?.text);
    starts.forEach((start, i) => {
      expect(Math.abs(start - (second?.starts[i] as number))).toBeLessThan(0.081);
      expect(Math.abs(start - (first?.starts[i] as number))).toBeLessThan(0.161);
    });
  }
});
