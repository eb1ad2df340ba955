/** Recordings of several windows, as WAV files: the speech of test/audio one behind the other. */
import { writeFileSync } from 'node:fs';
import { concat, samplesOf } from './samples.js';
import { wavFile } from './wav-file.js';

const SPEECH = ['jfk.flac', 'bf_emma_06.flac', 'am_michael_05.flac', 'af_sky_10.flac'];

/** Writes about 24 s of speech, `times` over. */
export async function writeSpeech(
  file: string,
  { rate = 16_000, channels = 1, times = 1, from = 0 } = {},
): Promise<void> {
  const order = [...SPEECH.slice(from), ...SPEECH.slice(0, from)];
  const once = concat(await Promise.all(order.map((name) => samplesOf(name, rate))));
  const speech = concat(Array.from({ length: times }, () => once));
  writeFileSync(
    file,
    wavFile(
      Array.from({ length: channels }, () => speech),
      { sampleRate: rate },
    ),
  );
}
