/**
 * What a stage needs of a loaded model. `loadModel` gives one; tests may hand in their own.
 */
import type { NativeModel, NativeModelInfo } from '../engine/addon.js';

/** A loaded model as the stages see it. */
export interface StageModel {
  /** Facts about the model: rate, hop, vocabulary, architecture. */
  readonly info: NativeModelInfo;
  /** The engine's side of it. @internal */
  readonly native: NativeModel;
}
