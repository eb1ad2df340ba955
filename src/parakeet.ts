/** `parakeet()`: the stream of a transcription, with a model that it can load itself. */
import {
  checkDraftModel,
  checkModel,
  checkTranscription,
  type ParakeetOptions,
  parakeetKeys,
} from './composition/options.js';
import { ParakeetStream } from './composition/parakeet-stream.js';
import { known } from './options.js';
import { claimsOf } from './shared-model.js';

/**
 * Speech to text as one stream: bytes of a sound file or of raw PCM in, {@link TranscriptEvent}s out.
 *
 * It is the pipeline `decode → resample → logMel → encode → tokenDecode → sentences` (`parakeet-stream/stages`). With `mode: 'file'` one
 * stage that transcribes whole windows replaces `logMel`, `encode` and `tokenDecode`, and the pipeline holds one window. Back-pressure
 * reaches the source: between bytes and events the pipeline holds at most 2 s of audio and `lookahead + 5 × chunk` (6.2 s in all with
 * `'balanced'`), besides three writes of the source and about twenty events.
 *
 * With `draftModel`, the audio goes to a second model too, whose stages branch off after `resample`; it writes the drafts.
 *
 * Damage in the middle of a file becomes silence and a `gap` event, and the rest is transcribed. A broken input (a file that is damaged or
 * cut short, an error of the decoder) ends the transcript first: all words before it can be read and are written, then the stream fails.
 * `destroy`, an abort, and any other error stop it at once; the stream closes when the engine has finished its current work.
 *
 * @throws {@link ArgumentError} (synchronously) for invalid options. The stream fails with a {@link ModelError} for a model that cannot be
 * loaded, and with an {@link AudioError} for audio that cannot be read.
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
  const { model, draftModel, ...others } = known('parakeet', options, parakeetKeys);
  checkTranscription(others);
  checkModel(model, others.mode);
  checkDraftModel(draftModel, others);
  return new ParakeetStream(claimsOf({ model, draftModel }), others);
}
