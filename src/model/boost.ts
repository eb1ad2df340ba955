/** Boosted phrases: phrases that are likelier here than the model can know, or less likely. Their options; boost-tree.ts makes them ready for the engine. */
import { readFile } from 'node:fs/promises';
import { ArgumentError } from '../errors.js';
import { expected, finite, flag } from '../options.js';

/** A phrase to boost, or to avoid. */
export interface BoostPhrase {
  /** The words as they are spoken. */
  phrase: string;
  /**
   * How much likelier the phrase becomes, as a natural logarithm: −20 to 20. A phrase that has begun earns it letter by letter, and loses it if
   * something else comes. Higher values find the phrase more often, but also where it was not said. Below 0 it becomes less likely: −20 is hardly
   * ever said.
   * @defaultValue 5
   */
  weight?: number | undefined;
  /**
   * Only as whole words: "cat" is not boosted in "category". False also boosts parts of words.
   * @defaultValue true
   */
  wholeWords?: boolean | undefined;
  /**
   * Only as it is written here. False takes any casing.
   * @defaultValue false
   */
  caseSensitive?: boolean | undefined;
}

/** Measured on recordings with rare words: `npm run -s bench:boost`. */
export const DEFAULT_BOOST_WEIGHT = 5;

const MOST_WEIGHT = 20;
const MOST_PHRASES = 10_000;
const MOST_LETTERS = 200;

/** Checks phrases without a model. @throws {@link ArgumentError} */
export function checkBoost(boost: readonly BoostPhrase[], at = 'boost'): void {
  if (!Array.isArray(boost)) throw expected('a list of { phrase, weight }', at, boost);
  if (boost.length > MOST_PHRASES) throw expected(`at most ${MOST_PHRASES} phrases`, at, boost.length);
  boost.forEach((one: unknown, i) => {
    const { phrase, weight, wholeWords, caseSensitive, ...others } = (one ?? {}) as Partial<BoostPhrase>;
    const [stray] = Object.keys(others);
    if (typeof one !== 'object' || stray !== undefined)
      throw expected('{ phrase, weight, wholeWords, caseSensitive }', `${at}[${i}]`, stray ?? one);
    const letters = typeof phrase === 'string' ? [...phraseText(phrase)].length : 0;
    if (letters < 1 || letters > MOST_LETTERS)
      throw expected(`a phrase of 1 to ${MOST_LETTERS} letters`, `${at}[${i}].phrase`, phrase);
    finite(`${at}[${i}].weight`, weight ?? DEFAULT_BOOST_WEIGHT, -MOST_WEIGHT, MOST_WEIGHT);
    flag(`${at}[${i}].wholeWords`, wholeWords ?? true);
    flag(`${at}[${i}].caseSensitive`, caseSensitive ?? false);
  });
}

/** Checks the weight of a capital at the beginning. @throws {@link ArgumentError} */
export function checkFirstUppercase(weight: number | undefined): number {
  return finite('decoding.firstUppercase', weight ?? 0, -MOST_WEIGHT, MOST_WEIGHT);
}

/** A phrase as it is compared: single spaces between words. */
export function phraseText(phrase: string): string {
  return phrase.normalize('NFKC').trim().split(/\s+/).join(' ');
}

/**
 * Reads phrases to boost from a text file: one per line, optionally followed by a tab and a weight (−20 to 20). Empty lines and lines that
 * begin with `#` are ignored.
 *
 * @throws {@link ArgumentError} (as a rejection) that names the invalid line, or when the file cannot be read.
 *
 * @example
 * ```js
 * import { writeFile } from 'node:fs/promises';
 * import { readBoostFile, transcribe } from 'parakeet-stream';
 *
 * await writeFile('names.txt', 'Kubernetes\t3\nGrace Hopper\n');
 * const boost = await readBoostFile('names.txt');
 * const { text } = await transcribe('talk.flac', { decoding: { boost } });
 * console.log(text);
 * ```
 */
export async function readBoostFile(file: string): Promise<BoostPhrase[]> {
  const phrases: BoostPhrase[] = [];
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ArgumentError(`Expected to read phrases from ${file} but the system refused: ${cause.message}`);
  });
  text.split(/\r?\n/).forEach((line, i) => {
    if (/^\s*(?:#|$)/.test(line)) return;
    const [phrase = '', weight, ...more] = line.split('\t');
    const value = weight === undefined ? undefined : Number(weight.trim() || Number.NaN);
    if (more.length > 0 || Number.isNaN(value))
      throw new ArgumentError(
        `Expected a phrase, or a phrase, a tab and a weight, in line ${i + 1} of ${file} but found '${line}'`,
      );
    phrases.push({ phrase: phrase.trim(), ...(value !== undefined && { weight: value }) });
  });
  checkBoost(phrases);
  return phrases;
}
