/** A whole recording as samples at a model's rate, in memory: for checks and measurements, not for transcripts. */
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { joined } from '../audio/samples.js';
import type { AudioChunk } from '../events.js';
import { type AudioSource, openAudio } from '../sources/audio-source.js';
import { decode } from '../transforms/decode.js';
import { resample } from '../transforms/resample.js';

/** @returns mono samples at `rate` in [-1, 1]. @throws as `decode` and the source do, as a rejection. */
export async function readSamples(
  source: Exclude<AudioSource, Float32Array>,
  rate: number,
): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  const collector = new Writable({
    objectMode: true,
    write({ channels }: AudioChunk, _encoding, callback) {
      pieces.push(channels[0] as Float32Array);
      callback();
    },
  });
  const { bytes } = await openAudio(source, {});
  await pipeline(bytes, decode(), resample(rate), collector);
  return joined(pieces);
}
