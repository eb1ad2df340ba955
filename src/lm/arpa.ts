/**
 * Reads ARPA files, the text form of n-gram models (SRILM, KenLM, NeMo), line by line. What a word is to a speech model is up to the
 * caller.
 */
import { ModelError } from '../errors.js';
import { linesOf, nameOf, type TextSource } from './text.js';

/** Some grams of one length. */
export interface ArpaGrams {
  length: number;
  /** The words of all grams, one after the other. */
  words: string[];
  /** Natural logarithms, one for each gram. */
  values: number[];
  backoffs: number[];
}

export const LONGEST_ORDER = 6;
/** So that a hostile head cannot make the reader take all memory: each gram needs about 40 bytes. */
export const MOST_GRAMS = 50_000_000;

/** ARPA has logarithms to base 10. */
const TO_NATURAL = Math.LN10;

/** An error that names the file and the line. */
function invalidArpa(text: TextSource, line: number, what: string): ModelError {
  return new ModelError(
    'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
    `Expected an ARPA file in ${nameOf(text)} but line ${line} ${what}`,
  );
}

/**
 * The grams of an ARPA file, some thousands at once.
 *
 * @throws {ModelError} `ERR_PARAKEET_INVALID_LANGUAGE_MODEL` for a file that is none, is cut, has more grams than its head says, an order
 * above 6, or more than 50 million grams.
 */
export async function* readArpa(text: TextSource): AsyncGenerator<ArpaGrams> {
  const counts: number[] = [];
  let at = 0;
  let found = 0;
  let length = -1; // -1 before \data\, 0 in it, else in the section of grams of that length
  let ended = false;
  const fail = (what: string): never => {
    throw invalidArpa(text, at, what);
  };
  const complete = () => {
    const promised = counts[length - 1] ?? 0;
    if (length > 0 && found !== promised)
      fail(`ends the grams of ${length} after ${found}, and the head says ${promised}`);
  };
  for await (const lines of linesOf(text)) {
    const some: ArpaGrams = { length, words: [], values: [], backoffs: [] };
    const section = (next: number) => {
      complete();
      if (next !== length + 1 && !(length === 0 && next === 1)) fail('begins another section than the next');
      if (next > counts.length) fail(`begins the grams of ${next}, which the head does not have`);
      length = next;
      found = 0;
    };
    for (const raw of lines) {
      at++;
      const line = raw.replace(/\r$/, '');
      if (ended || line === '') continue;
      const head = /^\\(?:(data)|(end)|(\d+)-grams:)\\?$/.exec(line);
      if (head !== null) {
        if (some.values.length > 0) yield { ...some, length };
        some.words = [];
        some.values = [];
        some.backoffs = [];
        if (head[1] !== undefined) {
          if (length >= 0) fail('begins a second head');
          length = 0;
        } else if (head[2] !== undefined) {
          complete();
          if (length < 1 || length !== counts.length) fail('ends the file before all grams');
          ended = true;
        } else {
          section(Number(head[3]));
        }
      } else if (length === 0) {
        const [, order, count] = /^ngram +(\d+) *= *(\d+)$/.exec(line) ?? fail('is no number of grams');
        counts.push(Number(count));
        if (Number(order) !== counts.length) fail('has not the next order');
        if (counts.length > LONGEST_ORDER)
          fail(`has order ${order}, and at most ${LONGEST_ORDER} can be read`);
        if (counts.reduce((sum, one) => sum + one, 0) > MOST_GRAMS)
          fail(`brings the grams to more than ${MOST_GRAMS}`);
      } else if (length > 0) {
        const fields = line.trim().split(/[ \t]+/);
        const value = Number(fields[0]);
        const backoff = fields.length === length + 2 ? Number(fields[length + 1]) : 0;
        if (
          fields.length < length + 1 ||
          fields.length > length + 2 ||
          Number.isNaN(value) ||
          Number.isNaN(backoff)
        )
          fail(`is no gram of ${length} with its logarithms`);
        if (++found > (counts[length - 1] ?? 0)) fail('is a gram more than the head says');
        for (let i = 1; i <= length; i++) some.words.push(fields[i] as string);
        some.values.push(value * TO_NATURAL);
        some.backoffs.push(backoff * TO_NATURAL);
      } else if (at > 1000) {
        fail('is still no \\data\\');
      }
    }
    if (some.values.length > 0) yield { ...some, length };
  }
  if (!ended) fail('is the last one, and there is no \\end\\: it was cut short');
}
