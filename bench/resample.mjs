/**
 * How much of the event loop resampling takes: ours against libsamplerate (WebAssembly) at its best quality, in one run.
 *
 *     npm run -s bench:resample -- [--json] [--seconds S]
 *
 * Prints milliseconds per second of audio (mono, chunks of 100 ms, median of five runs), and the ratio: how many times faster.
 */
import { parseArgs } from 'node:util';
import libsamplerate from '@alexanderolsen/libsamplerate-js';
import { resample } from 'parakeet-stream/stages';
import { median } from './quantile.mjs';

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, seconds: { type: 'string', default: '20' } },
});
const seconds = Number(values.seconds);
const target = 16_000;

const rows = [];
for (const rate of [8000, 44_100, 48_000, 96_000]) {
  const chunks = Array.from({ length: seconds * 10 }, (_, chunk) =>
    Float32Array.from({ length: rate / 10 }, (_, i) => 0.3 * Math.sin(0.05 * (chunk * (rate / 10) + i))),
  );
  const runs = { ours: [], libsamplerate: [] };
  for (let run = 0; run < 5; run++) {
    runs.ours.push(await timed(() => ours(chunks, rate)));
    runs.libsamplerate.push(await timed(() => theirs(chunks, rate)));
  }
  const row = { rate, ours: median(runs.ours), libsamplerate: median(runs.libsamplerate) };
  rows.push({ ...row, ratio: row.libsamplerate / row.ours });
}

if (values.json) console.log(JSON.stringify(rows));
else {
  console.log('to 16 kHz from     ours (ms/s)   libsamplerate (ms/s)   times faster');
  for (const { rate, ours, libsamplerate, ratio } of rows) {
    console.log(
      `${`${rate} Hz`.padEnd(18)}${ours.toFixed(2).padStart(11)}${libsamplerate.toFixed(1).padStart(21)}${ratio.toFixed(1).padStart(16)}`,
    );
  }
}

async function ours(chunks, rate) {
  const stage = resample(target);
  stage.resume();
  for (const samples of chunks) {
    if (!stage.write({ channels: [samples], sampleRate: rate })) {
      await new Promise((resolve) => stage.once('drain', resolve));
    }
  }
  stage.end();
  await new Promise((resolve) => stage.once('end', resolve));
}

async function theirs(chunks, rate) {
  const converter = await libsamplerate.create(1, rate, target, {
    converterType: libsamplerate.ConverterType.SRC_SINC_BEST_QUALITY,
  });
  for (const samples of chunks) converter.full(samples);
  converter.destroy();
}

/** Milliseconds of this thread per second of audio. */
async function timed(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / seconds;
}
