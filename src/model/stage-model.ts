/**
 * What a stage needs of a loaded model. `loadModel` returns one; tests may pass their own.
 */

import type { NativeModel, NativeModelInfo } from '../engine/addon.js';
import { expected } from '../options.js';

/** A loaded model as the stages see it. */
export interface StageModel {
  /** Facts about the model: rate, hop, vocabulary, architecture. */
  readonly info: NativeModelInfo;
  /** The engine's side of it. @internal */
  readonly native: NativeModel;
}

export function isModel(value: unknown): value is StageModel {
  return typeof value === 'object' && value !== null && 'info' in value && 'native' in value;
}

/** @throws {@link ArgumentError} for anything but a loaded model. */
export function mustBeModel(factory: string, model: unknown): void {
  if (isModel(model)) return;
  throw expected('a loaded model', `the model of ${factory}`, model, 'Await loadModel() first.');
}
