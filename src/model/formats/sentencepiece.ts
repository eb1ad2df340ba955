/**
 * The pieces of a SentencePiece model: field 1 of `ModelProto`, each a `SentencePiece` whose field 1 is the text (google/sentencepiece,
 * sentencepiece_model.proto). Scores and settings are not needed for decoding.
 */
import { ModelError } from '../../errors.js';

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** @throws {ModelError} `ERR_PARAKEET_INVALID_CONFIG` for a file that is not a SentencePiece model. */
export function readSentencePieces(content: Uint8Array, file: string): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    const pieces: string[] = [];
    for (const { field, bytes } of fields(content)) {
      if (field !== 1 || bytes === undefined) continue;
      const text = [...fields(bytes)].find((own) => own.field === 1)?.bytes;
      pieces.push(text === undefined ? '' : decoder.decode(text));
    }
    if (pieces.length > 0) return pieces;
    throw new Error('it has no pieces');
  } catch (cause) {
    throw new ModelError(
      'ERR_PARAKEET_INVALID_CONFIG',
      `Expected a SentencePiece model in ${file} but it does not read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The fields of a protocol-buffers message, with the `bytes` of those that have a length. */
function* fields(message: Uint8Array): Generator<{ field: number; bytes?: Uint8Array }> {
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
    if (wire === WIRE.varint) varint();
    else if (wire === WIRE.fixed64) at += 8;
    else if (wire === WIRE.fixed32) at += 4;
    else throw new Error(`a field of type ${wire}`);
    yield { field };
  }
}
