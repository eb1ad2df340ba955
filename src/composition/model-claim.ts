/** The model of a transcription: a loaded one, or a way to claim one that is loaded on demand. Types only. */
import type { StageModel } from '../model/stage-model.js';

/** A claim on a model that several streams may share. */
export interface ModelClaim {
  /** Rejects when the model cannot be loaded. */
  readonly model: Promise<StageModel>;
  /** Returns the claim, once; resolves when the model is freed if it was the last. */
  release(): Promise<void>;
}

export type ModelSource = StageModel | (() => ModelClaim);
