/** `transcribe()`: a source to a transcript in one call, with a model that it can load itself. */
import { checkDraftModel, checkModel, type ParakeetOptions } from './composition/options.js';
import {
  DEFAULT_MODE,
  type TranscribeOptions,
  transcribeKeys,
  transcribeSource,
} from './composition/transcribe-source.js';
import type { TranscriptResult } from './events.js';
import { known } from './options.js';
import { claimsOf } from './shared-model.js';
import type { AudioSource } from './sources/audio-source.js';

/** Options of {@link transcribe}: those of `model.transcribe`, and the models. */
export interface TranscribeWithModelOptions
  extends Omit<TranscribeOptions, 'draftModel'>,
    Pick<ParakeetOptions, 'model' | 'draftModel'> {}

/**
 * Transcribes a whole recording and returns the result: `model.transcribe` with the model as an option.
 *
 * It works window by window with full context; with `mode: 'live'`, as a live stream does. A source that fails ends the transcript: all
 * final words are written to the `sink`, the sink is closed, and the promise rejects with the source's error, whose `heard` is the
 * transcript so far. An abort stops at once. The source is always destroyed when the promise settles.
 *
 * @param source See {@link AudioSource}.
 * @throws {@link ArgumentError} for invalid options. @throws {@link AudioError} for audio that cannot be read.
 * @throws {@link ModelError} for a model that cannot be loaded. @throws {@link AbortedError} when `signal` is aborted. All as rejections.
 *
 * @example
 * ```js
 * import { srtWriter, transcribe } from 'parakeet-stream';
 *
 * const { text, sentences } = await transcribe('talk.flac', { sink: srtWriter('talk.srt') });
 * console.log(text, sentences.length);
 * ```
 */
export async function transcribe(
  source: AudioSource,
  options: TranscribeWithModelOptions = {},
): Promise<TranscriptResult> {
  const { model, draftModel, ...others } = known('transcribe', options, ['model', ...transcribeKeys]);
  const mode = others.mode ?? DEFAULT_MODE;
  checkModel(model, mode);
  checkDraftModel(draftModel, { ...others, mode });
  return transcribeSource(claimsOf({ model, draftModel }), source, others);
}
