/**
 * What decides the tokens that a worker hears: the model, the type of its weights, the device and the instruction set. Workers of one
 * identity give the same tokens for the same window.
 */
import { createHash } from 'node:crypto';
import type { LoadedModel } from '../model/loaded-model.js';
import { packageVersion } from '../version.js';

/** A worker's identity. Of a mixed fleet only `package` and `model` count. */
export interface WorkerIdentity {
  /** Version of this package. */
  package: string;
  /** Checksum of the model. */
  model: string;
  dtype: string;
  device: string;
  /** Instruction set of a CPU's products, or a GPU's name. */
  instructions: string;
}

/** The identity of workers that may differ in everything but the model. */
const MIXED = 'mixed';

export function identityOf({ addon, identity, info }: LoadedModel): WorkerIdentity {
  const { instructions } = addon.build();
  return {
    package: packageVersion,
    model: identity,
    dtype: info.dtype,
    device: info.device,
    instructions: info.device === 'gpu' ? (addon.gpu()?.name ?? 'gpu') : (instructions ?? 'generic'),
  };
}

/** The same for recordings whose windows any worker with this model may transcribe. */
export function mixedIdentity({ package: version, model }: WorkerIdentity): WorkerIdentity {
  return { package: version, model, dtype: MIXED, device: MIXED, instructions: MIXED };
}

/** A short name for an identity, of letters and digits. */
export function fingerprint(identity: WorkerIdentity): string {
  const { package: version, model, dtype, device, instructions } = identity;
  const text = JSON.stringify([version, model, dtype, device, instructions]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** One line for people. */
export function describeIdentity({ model, dtype, device, instructions }: WorkerIdentity): string {
  return dtype === MIXED
    ? `model ${model}, mixed machines`
    : `model ${model}, ${dtype}, ${device}, ${instructions}`;
}
