/**
 * Does memory grow with the length of a stream? Feeds audio as fast as it is taken and prints the resident memory.
 *
 *     npm run -s bench:memory -- [--json] [--quick]
 *
 * Ten minutes against one hour of the recordings in test/audio, over and over; `--quick`: one minute against three.
 */

import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, parakeet } from 'parakeet-stream';
import { readRecordings, readSamples } from './recordings.mjs';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } });
const [short, long] = values.quick ? [60, 180] : [600, 3600];

const root = fileURLToPath(new URL('..', import.meta.url));
const model = await loadModel();
const { sampleRate } = model.info;
const speech = Buffer.concat(
  (
    await Promise.all(
      readRecordings(path.join(root, 'test', 'audio')).map(({ file }) => readSamples(file, sampleRate)),
    )
  ).map((samples) => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)),
);

const began = performance.now();
const at = { short: 0, long: 0, peak: 0 };
let tokens = 0;
await pipeline(
  Readable.from(sound(long), { objectMode: false, highWaterMark: 1 << 16 }),
  parakeet({ model, input: { format: 'f32le', sampleRate, channels: 1 } }),
  async (events) => {
    for await (const event of events) {
      if (event.type === 'token') tokens++;
      if (event.type !== 'progress') continue;
      const memory = process.memoryUsage.rss() / 2 ** 20;
      at.peak = Math.max(at.peak, memory);
      if (event.time <= short) at.short = memory;
      at.long = memory;
    }
  },
);
const seconds = (performance.now() - began) / 1000;
await model.close();

const result = {
  shortSeconds: short,
  longSeconds: long,
  rssShortMiB: Math.round(at.short),
  rssLongMiB: Math.round(at.long),
  rssPeakMiB: Math.round(at.peak),
  growthMiB: Math.round(at.long - at.short),
  tokens,
  realTimeFactor: Math.round((1000 * seconds) / long) / 1000,
};
if (values.json) console.log(JSON.stringify(result));
else {
  console.log(`after ${short} s of audio   ${result.rssShortMiB} MiB resident`);
  console.log(
    `after ${long} s of audio  ${result.rssLongMiB} MiB resident (${result.growthMiB} MiB more, at most ${result.rssPeakMiB})`,
  );
  console.log(`${tokens} tokens, ${result.realTimeFactor} × real time`);
}

/** `seconds` of speech as bytes, in pieces of a second. */
function* sound(seconds) {
  const second = sampleRate * 4;
  for (let offset = 0, i = 0; i < seconds; i++, offset = (offset + second) % (speech.length - second)) {
    yield speech.subarray(offset, offset + second);
  }
}
