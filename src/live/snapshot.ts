/**
 * A live transcript as bytes: everything that is needed to continue, in another process too. This file has the layout and its checks;
 * live-transcript.ts decides what goes in. A snapshot fits only the package version, the model and the type of weights that made it.
 *
 * `PKTSNAP\n`, the length of the header (4 bytes, little-endian), the header (JSON), the native states one after the other, and the SHA-256
 * of all that.
 */

import { createHash } from 'node:crypto';
import { type ParakeetError, SavedStateError } from '../errors.js';
import type { Token } from '../events.js';
import type { LoadedModel } from '../model/loaded-model.js';
import type { PlacerState } from '../model/token-placer.js';
import type { DraftTailState } from '../text/draft-tail.js';
import type { SentenceOptions } from '../text/sentence-options.js';
import { packageVersion } from '../version.js';
import type { NativeStates, SessionOptions } from './model-session.js';

/** The content of a snapshot besides the native states. */
export interface SnapshotState {
  /** The options of the stream, as they were resolved. */
  options: SessionOptions & { sentences?: SentenceOptions };
  /** Samples received so far. */
  samples: number;
  finalized: Token[];
  draft: Token[];
  placer: PlacerState;
  /** Of the draft model, if there is one. */
  drafts?: { options: SessionOptions; placer: PlacerState; tail: DraftTailState };
}

/** The native states of both models, in their order in the file. */
export interface SnapshotNatives {
  model: NativeStates;
  draftModel?: NativeStates | undefined;
}

/** The lengths of one model's native states. */
type Lengths = [mel: number, encoder: number, decoder: number];

interface Header {
  package: string;
  model: string;
  dtype: string;
  draftModel?: SnapshotOwner;
  lengths: Lengths[];
  state: SnapshotState;
}

const MAGIC = 'PKTSNAP\n';
const HASH_BYTES = 32;

/** What a snapshot belongs to: the `identity` of a model, and the type of its weights. */
interface SnapshotOwner {
  identity: string;
  dtype: string;
}

/** The models of a transcript. */
export interface SnapshotOwners {
  model: SnapshotOwner;
  draftModel?: SnapshotOwner | undefined;
}

/** The identities of loaded models. */
export function ownersOf({
  model,
  draftModel,
}: {
  model: LoadedModel;
  draftModel?: LoadedModel | undefined;
}): SnapshotOwners {
  const owner = ({ identity, info }: LoadedModel): SnapshotOwner => ({ identity, dtype: info.dtype });
  return { model: owner(model), draftModel: draftModel && owner(draftModel) };
}

/** @returns the bytes. */
export function writeSnapshot(
  { model, draftModel }: SnapshotOwners,
  state: SnapshotState,
  native: SnapshotNatives,
): Uint8Array {
  const parts = [native.model, ...(native.draftModel ? [native.draftModel] : [])];
  const header: Header = {
    package: packageVersion,
    model: model.identity,
    dtype: model.dtype,
    ...(draftModel && { draftModel }),
    lengths: parts.map(({ mel, encoder, decoder }) => [mel.length, encoder.length, decoder.length]),
    state,
  };
  const plain = (_key: string, value: unknown) => (value instanceof Float32Array ? Array.from(value) : value);
  const text = Buffer.from(JSON.stringify(header, plain), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const body = Buffer.concat([
    Buffer.from(MAGIC, 'latin1'),
    length,
    text,
    ...parts.flatMap(({ mel, encoder, decoder }) => [mel, encoder, decoder]),
  ]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/**
 * @throws {@link SavedStateError} `ERR_PARAKEET_INVALID_SNAPSHOT` for bytes that are not a snapshot, are damaged, or belong to other models
 * or to another version.
 */
export function readSnapshot(
  bytes: Uint8Array,
  { model, draftModel }: SnapshotOwners,
): { state: SnapshotState; native: SnapshotNatives } {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = MAGIC.length + 4;
  if (file.length < start + HASH_BYTES || file.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw invalid(`Expected the bytes of a snapshot but received ${bytes.length} bytes that are none`);
  }
  const body = file.subarray(0, file.length - HASH_BYTES);
  if (!createHash('sha256').update(body).digest().equals(file.subarray(body.length))) {
    throw invalid('Expected a whole snapshot but its checksum does not match: it was cut short or changed');
  }
  const headerEnd = start + body.readUInt32LE(MAGIC.length);
  const header = JSON.parse(body.toString('utf8', start, headerEnd)) as Header;
  same('parakeet-stream', header.package, packageVersion);
  same('the model with the checksum', header.model, model.identity);
  same('a model loaded as', header.dtype, model.dtype);
  same('a transcript', withDrafts(header.draftModel), withDrafts(draftModel));
  if (header.draftModel && draftModel) {
    same('the draft model with the checksum', header.draftModel.identity, draftModel.identity);
    same('a draft model loaded as', header.draftModel.dtype, draftModel.dtype);
  }
  restoreStatistics(header.state.options);
  if (header.state.drafts) restoreStatistics(header.state.drafts.options);
  let at = headerEnd;
  const next = (length: number) => {
    at += length;
    return body.subarray(at - length, at);
  };
  const [main, drafts] = header.lengths.map(([mel, encoder, decoder]) => ({
    mel: next(mel),
    encoder: next(encoder),
    decoder: next(decoder),
  }));
  return { state: header.state, native: { model: main as NativeStates, draftModel: drafts } };
}

/** @throws {@link SavedStateError} */
function same(what: string, has: string, wanted: string): void {
  if (has !== wanted) throw invalid(`Expected a snapshot of ${what} ${wanted} but received one of ${has}`);
}

function withDrafts(draftModel: SnapshotOwner | undefined): string {
  return draftModel ? 'with a draftModel' : 'without a draftModel';
}

/** Statistics of the normalisation are arrays of numbers in JSON. */
function restoreStatistics({ encoder }: SessionOptions): void {
  if (typeof encoder.normalization !== 'object') return;
  const { mean, std, ...more } = encoder.normalization;
  encoder.normalization = { ...more, mean: Float32Array.from(mean), std: Float32Array.from(std) };
}

function invalid(message: string): ParakeetError {
  return new SavedStateError('ERR_PARAKEET_INVALID_SNAPSHOT', message);
}
