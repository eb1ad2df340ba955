/** `parakeet()`: the stream of a transcription, with a model that it may load for itself. */
import { checkTranscription, type ParakeetOptions } from './composition/options.js';
import { ParakeetStream } from './composition/parakeet-stream.js';
import { claimModel } from './shared-model.js';

/**
 * Speech to text as one stream: bytes of a sound file or of raw PCM in, {@link TranscriptEvent}s out.
 *
 * It is `decode → resample → logMel → encode → tokenDecode → sentences` (`parakeet-stream/stages`); with `mode: 'file'`, one stage
 * transcribes whole windows in place of the middle three, and the line holds one of them. A slow reader stops the source: between bytes
 * and events the line holds at most 1.2 s of audio and `lookahead + 5 × chunk` (5.4 s in all with `'balanced'`), beside three writes of the
 * source and some twenty events.
 *
 * A damaged place in a file becomes silence and a `gap` event, and the rest is transcribed. A broken input (a file that is damaged or cut
 * short, a decoder's error) ends the transcript first: everything that was heard is read and written, then the stream fails. `destroy`, an
 * abort, and any other error stop it at once; the stream closes when the engine's work is given back.
 *
 * @throws {@link ArgumentError} (at once) for options that make no sense.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { parakeet, srtWriter } from 'parakeet-stream';
 *
 * await pipeline(createReadStream('talk.flac'), parakeet({ latency: 'accurate' }), srtWriter('talk.srt'));
 * ```
 */
export function parakeet(options: ParakeetOptions = {}): ParakeetStream {
  checkTranscription('parakeet', options);
  const { model, ...others } = options;
  return new ParakeetStream(typeof model === 'object' ? model : () => claimModel(model), others);
}
