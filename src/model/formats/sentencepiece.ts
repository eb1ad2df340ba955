/**
 * The pieces of a SentencePiece model: field 1 of `ModelProto`, each a `SentencePiece` with its text and score in fields 1 and 2; how words
 * are split into them is field 3 of `TrainerSpec`, which is field 2 (google/sentencepiece, sentencepiece_model.proto).
 */
import { ModelError } from '../../errors.js';

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
/** `TrainerSpec.ModelType`. */
const KINDS: Record<number, SentencePieceModel['kind']> = { 1: 'unigram', 2: 'bpe' };

/** A SentencePiece model. */
export interface SentencePieceModel {
  /** How words are split: by the pieces' scores, or by merges in the pieces' order. */
  kind: 'unigram' | 'bpe' | 'other';
  pieces: { text: string; score: number }[];
}

/** @throws {ModelError} `ERR_PARAKEET_INVALID_CONFIG` for a file that is not a SentencePiece model. */
export function readSentencePieceModel(content: Uint8Array, file: string): SentencePieceModel {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    const model: SentencePieceModel = { kind: 'unigram', pieces: [] };
    for (const { field, bytes } of fields(content)) {
      if (field === 2 && bytes !== undefined) {
        const kind = [...fields(bytes)].find((own) => own.field === 3)?.value;
        if (kind !== undefined) model.kind = KINDS[kind] ?? 'other';
      }
      if (field !== 1 || bytes === undefined) continue;
      const piece = { text: '', score: 0 };
      for (const own of fields(bytes)) {
        if (own.field === 1 && own.bytes) piece.text = decoder.decode(own.bytes);
        if (own.field === 2 && own.value !== undefined) piece.score = own.value;
      }
      model.pieces.push(piece);
    }
    if (model.pieces.length > 0) return model;
    throw new Error('it has no pieces');
  } catch (cause) {
    throw new ModelError(
      'ERR_PARAKEET_INVALID_CONFIG',
      `Expected a SentencePiece model in ${file} but it does not read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The texts of the pieces. @throws as {@link readSentencePieceModel}. */
export function readSentencePieces(content: Uint8Array, file: string): string[] {
  return readSentencePieceModel(content, file).pieces.map(({ text }) => text);
}

/** The fields of a protocol-buffers message: the `bytes` of those that have a length, the `value` of integers and floats. */
function* fields(message: Uint8Array): Generator<{ field: number; bytes?: Uint8Array; value?: number }> {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('it is cut short');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a number is too long');
  };
  while (at < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === WIRE.bytes) {
      const length = varint();
      if (at + length > message.length) throw new Error('it is cut short');
      yield { field, bytes: message.subarray(at, at + length) };
      at += length;
      continue;
    }
    if (wire === WIRE.varint) {
      yield { field, value: varint() };
    } else if (wire === WIRE.fixed32) {
      if (at + 4 > message.length) throw new Error('it is cut short');
      yield { field, value: view.getFloat32(at, true) };
      at += 4;
    } else if (wire === WIRE.fixed64) {
      at += 8;
      yield { field };
    } else {
      throw new Error(`a field of type ${wire}`);
    }
  }
}
