/**
 * Streams a recording in real time, as if it were being spoken now: captions as they come (drafts dim), a subtitle file
 * at the end, and what it cost.
 *
 *     npm run demo [-- my.wav]
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { captionWriter, loadModel, srtWriter, teeWriter } from 'parakeet-stream';
import { decode, encode, logMel, resample, sentences, tokenDecode } from 'parakeet-stream/stages';

const bundled = fileURLToPath(
  new URL('../test/audio/sense_and_sensibility_01_austen_64kb-0920.flac', import.meta.url),
);
const recording = process.argv[2] ?? bundled;
const subtitles = `${path.basename(recording, path.extname(recording))}.srt`;

const model = await loadModel();
console.log(`${path.basename(recording)}, spoken now:\n`);

let stats;
await pipeline(
  createReadStream(recording),
  decode(),
  inRealTime,
  resample(model.info.sampleRate),
  logMel(model),
  encode(model),
  tokenDecode(model),
  sentences(),
  async function* (events) {
    for await (const event of events) {
      if (event.type === 'end') stats = event.stats;
      yield event;
    }
  },
  teeWriter(process.stdout.isTTY ? captionWriter(process.stdout) : lineWriter(), srtWriter(subtitles)),
);
await model.close();

console.log(`\n${subtitles}:\n\n${await readFile(subtitles, 'utf8')}`);
console.log(
  `${stats.audioSeconds.toFixed(1)} s of audio took ${stats.computeSeconds.toFixed(1)} s of compute: ` +
    `real-time factor ${stats.realTimeFactor.toFixed(3)} (below 1 is faster than speech), ` +
    `latency ${(1000 * stats.latency.p50).toFixed(0)} ms (median), ${(1000 * stats.latency.p95).toFixed(0)} ms (95 %)`,
);

/** Lets each piece of audio through when it would have been spoken. */
async function* inRealTime(chunks) {
  const start = performance.now();
  let spoken = 0;
  for await (const chunk of chunks) {
    spoken += chunk.channels[0].length / chunk.sampleRate;
    await sleep(Math.max(0, start + 1000 * spoken - performance.now()));
    yield chunk;
  }
}

/** What captionWriter shows, for an output that cannot redraw a line. */
function lineWriter() {
  const start = performance.now();
  const print = (kind, text) => {
    const clock = `${((performance.now() - start) / 1000).toFixed(1)} s`.padStart(8);
    if (text.trim() !== '') console.log(`${clock}  ${kind.padEnd(8)}  ${text.trim()}`);
  };
  let words = '';
  return new Writable({
    objectMode: true,
    write(event, _encoding, done) {
      if (event.type === 'token') words += event.token.text;
      else {
        print('final', words);
        words = '';
      }
      if (event.type === 'draft') print('draft', event.text);
      if (event.type === 'sentence') print('sentence', event.sentence.text);
      done();
    },
  });
}
