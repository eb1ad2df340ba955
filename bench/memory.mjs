/**
 * Does a stream cost more the longer it lasts? Feeds audio as fast as it is taken and prints the resident memory, and the CPU time of the
 * last minutes over that of the first ones. All minutes sound the same.
 *
 *     npm run -s bench:memory -- [--json] [--quick]
 *
 * Ten minutes against one hour of the recordings in test/audio, over and over; `--quick`: one minute against six.
 */

import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel, parakeet } from 'parakeet-stream';
import { median } from './quantile.mjs';
import { readRecordings, readSamples } from './recordings.mjs';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } });
const [short, long] = values.quick ? [60, 360] : [600, 3600];

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
/** CPU seconds of the process when each minute was over. */
const used = [cpuSeconds()];
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
      if (event.time >= 60 * used.length) used.push(cpuSeconds());
    }
  },
);
const seconds = (performance.now() - began) / 1000;
await model.close();

const minutes = used.slice(1).map((end, i) => end - used[i]);
// As many as the shorter time has; the first minute warms up.
const some = Math.min(5, Math.floor(minutes.length / 3));
const costRatio = median(minutes.slice(-some)) / median(minutes.slice(1, 1 + some));

const result = {
  shortSeconds: short,
  longSeconds: long,
  rssShortMiB: Math.round(at.short),
  rssLongMiB: Math.round(at.long),
  rssPeakMiB: Math.round(at.peak),
  growthMiB: Math.round(at.long - at.short),
  tokens,
  costRatio: Math.round(1000 * costRatio) / 1000,
  realTimeFactor: Math.round((1000 * seconds) / long) / 1000,
};
if (values.json) console.log(JSON.stringify(result));
else {
  console.log(`after ${short} s of audio   ${result.rssShortMiB} MiB resident`);
  console.log(
    `after ${long} s of audio  ${result.rssLongMiB} MiB resident (${result.growthMiB} MiB more, at most ${result.rssPeakMiB})`,
  );
  console.log(`the last ${some} minutes cost ${result.costRatio} times what the first ones did, in CPU time`);
  console.log(`${tokens} tokens, ${result.realTimeFactor} × real time`);
}

/** `seconds` of speech as bytes, in pieces of a second; each minute begins anew. */
function* sound(seconds) {
  const second = sampleRate * 4;
  const period = Math.min(60, Math.floor(speech.length / second));
  for (let i = 0; i < seconds; i++) {
    const offset = ((i % 60) % period) * second;
    yield speech.subarray(offset, offset + second);
  }
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
