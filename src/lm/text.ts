/**
 * Text files as streams of lines and words, in bounded memory: UTF-8 is checked, and what has no line or no word for a megabyte is refused.
 */
import { createReadStream } from 'node:fs';
import { ArgumentError } from '../errors.js';

/** A text: a path, or bytes as they come, of a stream for example. */
export type TextSource = string | URL | AsyncIterable<Uint8Array>;

const LONGEST = 1 << 20;

/** What a text is called in errors. */
export function nameOf(text: TextSource): string {
  return typeof text === 'string' || text instanceof URL ? String(text) : 'the stream';
}

/**
 * The characters of a text, in pieces that end in `end` characters, but for the last one.
 *
 * @throws {ArgumentError} for a file that cannot be read, is not UTF-8, or has a piece of more than a megabyte.
 */
async function* pieces(text: TextSource, end: RegExp, what: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let read = 0;
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch (cause) {
      const place = `in the ${bytes?.length ?? 0} bytes from byte ${read} on`;
      throw new ArgumentError(`Expected UTF-8 text in ${nameOf(text)} but found other bytes ${place}`, {
        cause,
      });
    }
  };
  const bytes =
    typeof text === 'string' || text instanceof URL
      ? (createReadStream(text, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>)
      : text;
  const chunks = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await chunks.next().catch((cause: Error) => {
        throw new ArgumentError(`Expected to read ${nameOf(text)} but the system refused: ${cause.message}`, {
          cause,
        });
      });
      if (done) break;
      rest += decode(value);
      read += value.length;
      let last = rest.length;
      while (last > 0 && !end.test(rest[last - 1] as string)) last--;
      if (last > 0) yield rest.slice(0, last);
      rest = rest.slice(last);
      if (rest.length > LONGEST)
        throw new ArgumentError(
          `Expected text in ${nameOf(text)} but found ${what} of more than ${LONGEST} characters`,
        );
    }
    rest += decode();
    if (rest !== '') yield rest;
  } finally {
    await chunks.return?.();
  }
}

/** The words of a text, many at once. @throws {ArgumentError} as above. */
export async function* wordsOf(text: TextSource): AsyncGenerator<string[]> {
  for await (const piece of pieces(text, /\s/u, 'a word')) {
    const words = piece.split(/\s+/u).filter((word) => word !== '');
    if (words.length > 0) yield words;
  }
}

/**
 * The lines of a text, many at once. Only a line feed ends a line: other programs' token models contain every other separator as a token.
 *
 * @throws {ArgumentError} as above.
 */
export async function* linesOf(text: TextSource): AsyncGenerator<string[]> {
  for await (const piece of pieces(text, /\n/, 'a line')) yield piece.replace(/\n$/, '').split('\n');
}
