/** The recordings of test/audio as samples, and pieces of sound one after the other. */
import { joined as concat } from '../../src/audio/samples.js';
import { readSamples } from '../../src/recordings/read-samples.js';

export { concat };

const folder = new URL('../audio/', import.meta.url);

/** All samples of a recording of test/audio, or of the file at a URL: mono, at `rate`. */
export function samplesOf(file: string | URL, rate = 16_000): Promise<Float32Array> {
  return readSamples(new URL(file, folder), rate);
}
