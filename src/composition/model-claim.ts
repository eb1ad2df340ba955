/** How a transcription gets its model: by a claim on it, which is returned at the end. */
import type { StageModel } from '../model/stage-model.js';

/** A claim on a model that several streams may share. */
export interface ModelClaim {
  /** Rejects when the model cannot be loaded. */
  readonly model: Promise<StageModel>;
  /** Returns the claim, once; resolves when the model is freed if it was the last. */
  release(): Promise<void>;
}

/** How a transcription claims its models, once it begins. */
export interface ModelClaims {
  model(): ModelClaim;
  /** The model of the drafts, if it is another one. */
  draftModel?: (() => ModelClaim) | undefined;
}

/** A claim on a model that the caller has loaded, and keeps. */
export function claimOf(model: StageModel): ModelClaim {
  return { model: Promise.resolve(model), release: async () => {} };
}
