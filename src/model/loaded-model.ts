/**
 * A loaded model as data: what recordings, live streams and the low-level calls need of it. The class with its methods is in src/model.ts.
 */
import type { NativeAddon } from '../engine/addon.js';
import type { StageModel } from './stage-model.js';

/** The result of `loadModel`, without its methods. */
export interface LoadedModel extends StageModel {
  /** @internal */
  readonly addon: NativeAddon;
  /** Native jobs that run on the model. @internal */
  readonly jobs: Set<number>;
  /** A checksum that identifies the model. */
  readonly identity: string;
  /** Samples per second of the model's audio. */
  readonly sampleRate: number;
}
