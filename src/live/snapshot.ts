/**
 * A live transcript as bytes: everything that is needed to continue, in another process too. This file has the layout and its checks;
 * live-transcript.ts decides what goes in. A snapshot fits only the package version, the model and the type of weights that made it.
 *
 * `PKTSNAP\n`, the length of the header (4 bytes, little-endian), the header (JSON), the native states one after the other, and the SHA-256
 * of all that.
 */

import { createHash } from 'node:crypto';
import type { NativeEncoderOptions } from '../engine/addon.js';
import { type ParakeetError, SavedStateError } from '../errors.js';
import type { Token } from '../events.js';
import type { DecodingOptions } from '../model/decoding.js';
import type { PlacerState } from '../model/token-placer.js';
import type { SentenceOptions } from '../text/sentence-options.js';
import { packageVersion } from '../version.js';

/** The content of a snapshot besides the native states. */
export interface SnapshotState {
  /** The options of the stream, as they were resolved. */
  options: {
    encoder: NativeEncoderOptions;
    flushSilence: number;
    decoding?: DecodingOptions;
    sentences?: SentenceOptions;
  };
  /** Samples received so far. */
  samples: number;
  finalized: Token[];
  draft: Token[];
  placer: PlacerState;
}

/** The native states, in their order in the file. */
export interface NativeStates {
  mel: Uint8Array;
  encoder: Uint8Array;
  decoder: Uint8Array;
}

interface Header {
  package: string;
  model: string;
  dtype: string;
  lengths: [mel: number, encoder: number, decoder: number];
  state: SnapshotState;
}

const MAGIC = 'PKTSNAP\n';
const HASH_BYTES = 32;

/** What a snapshot belongs to: the `identity` of the model, and the type of its weights. */
export interface SnapshotOwner {
  identity: string;
  dtype: string;
}

/** @returns the bytes. */
export function writeSnapshot(owner: SnapshotOwner, state: SnapshotState, native: NativeStates): Uint8Array {
  const header: Header = {
    package: packageVersion,
    model: owner.identity,
    dtype: owner.dtype,
    lengths: [native.mel.length, native.encoder.length, native.decoder.length],
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
    native.mel,
    native.encoder,
    native.decoder,
  ]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/**
 * @throws {@link SavedStateError} `ERR_PARAKEET_INVALID_SNAPSHOT` for bytes that are not a snapshot, are damaged, or belong to another
 * model or version.
 */
export function readSnapshot(
  bytes: Uint8Array,
  owner: SnapshotOwner,
): { state: SnapshotState; native: NativeStates } {
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
  const same = (what: string, has: string, wanted: string) => {
    if (has !== wanted) throw invalid(`Expected a snapshot of ${what} ${wanted} but received one of ${has}`);
  };
  same('parakeet-stream', header.package, packageVersion);
  same('the model with the checksum', header.model, owner.identity);
  same('a model loaded as', header.dtype, owner.dtype);
  const { normalization } = header.state.options.encoder;
  if (typeof normalization === 'object') {
    const { mean, std, ...more } = normalization;
    header.state.options.encoder.normalization = {
      ...more,
      mean: Float32Array.from(mean),
      std: Float32Array.from(std),
    };
  }
  const [mel, encoder, decoder] = header.lengths;
  const at = (offset: number, length: number) =>
    body.subarray(headerEnd + offset, headerEnd + offset + length);
  return {
    state: header.state,
    native: { mel: at(0, mel), encoder: at(mel, encoder), decoder: at(mel + encoder, decoder) },
  };
}

function invalid(message: string): ParakeetError {
  return new SavedStateError('ERR_PARAKEET_INVALID_SNAPSHOT', message);
}
