/**
 * What decides the tokens that a worker hears: the model, the type of its weights, the device, and on a CPU the instruction set and the
 * number of threads, which decides in what order sums are made. Workers of one identity give the same tokens for the same window, to the last
 * bit of their confidence.
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
  /** Threads of a CPU's kernels; 0 on a GPU. */
  threads: number;
}

/** The identity of workers that may differ in everything but the model. */
const MIXED = 'mixed';

export function identityOf(model: LoadedModel): WorkerIdentity {
  const { addon, identity, info } = model;
  const { instructions } = addon.build();
  return {
    package: packageVersion,
    model: identity,
    dtype: info.dtype,
    device: info.device,
    instructions: info.device === 'gpu' ? (addon.gpu()?.name ?? 'gpu') : (instructions ?? 'generic'),
    threads: info.device === 'gpu' ? 0 : addon.threads(),
  };
}

/** The same for recordings whose windows any worker with this model may transcribe. */
export function mixedIdentity({ package: version, model }: WorkerIdentity): WorkerIdentity {
  return { package: version, model, dtype: MIXED, device: MIXED, instructions: MIXED, threads: 0 };
}

/** A short name for an identity, of letters and digits. */
export function fingerprint(identity: WorkerIdentity): string {
  const { package: version, model, dtype, device, instructions, threads } = identity;
  const text = JSON.stringify([version, model, dtype, device, instructions, threads]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** One line for people. */
export function describeIdentity({ model, dtype, device, instructions, threads }: WorkerIdentity): string {
  if (dtype === MIXED) return `model ${model}, mixed machines`;
  return `model ${model}, ${dtype}, ${device}, ${instructions}${threads > 0 ? `, ${threads} threads` : ''}`;
}
