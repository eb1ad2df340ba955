/** The recordings of test/audio as samples, and pieces of sound one after the other. */
import { joined as concat } from '../../bench/joined.mjs';
import { readRecording } from '../../src/recordings/recording.js';

export { concat };

const folder = new URL('../audio/', import.meta.url);

/** All samples of a recording of test/audio, or of the file at a URL: mono, at `rate`. */
export async function samplesOf(file: string | URL, rate = 16_000): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  await readRecording(new URL(file, folder), rate, {}, async (samples) => {
    parts.push(samples.slice());
  });
  return concat(parts);
}
