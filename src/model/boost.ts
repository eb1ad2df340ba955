/**
 * Boosted phrases: phrases that are likelier here than the model can know, as a tree for the engine (native/model/boost.h). Its nodes are
 * positions in the letters of the phrases, its edges the pieces of the vocabulary that lead from one to another, in any casing: so a phrase
 * is found however the pieces spell it.
 */
import { readFile } from 'node:fs/promises';
import type { NativeBoostTree } from '../engine/addon.js';
import { ArgumentError } from '../errors.js';
import { expected, finite } from '../options.js';

/** A phrase to boost. */
export interface BoostPhrase {
  /** The words as they are spoken, in any casing. */
  phrase: string;
  /**
   * How much likelier each piece of it becomes (the first: half of that), as a natural logarithm: 0 to 20. Higher values find the phrase
   * more often, but also where it was not said.
   * @defaultValue 2
   */
  weight?: number | undefined;
}

/** Measured on recordings with rare words: `npm run -s bench:boost`. */
const DEFAULT_BOOST_WEIGHT = 2;

/**
 * Share of the weight for the piece that begins a phrase: every word may be the beginning of one. With half the weight, as many words are
 * found and a third fewer are inserted wrongly as with the full weight (bench:boost).
 */
const FIRST_SHARE = 0.5;

const MOST_PHRASES = 10_000;
const MOST_LETTERS = 200;

/** Checks phrases without a model. @throws {@link ArgumentError} */
export function checkBoost(boost: readonly BoostPhrase[], at = 'boost'): void {
  if (!Array.isArray(boost)) throw expected('a list of { phrase, weight }', at, boost);
  if (boost.length > MOST_PHRASES) throw expected(`at most ${MOST_PHRASES} phrases`, at, boost.length);
  boost.forEach((one: unknown, i) => {
    const { phrase, weight, ...others } = (one ?? {}) as Partial<BoostPhrase>;
    const [stray] = Object.keys(others);
    if (typeof one !== 'object' || stray !== undefined)
      throw expected('{ phrase, weight }', `${at}[${i}]`, stray ?? one);
    const letters = typeof phrase === 'string' ? spelled(phrase).length : 0;
    if (letters < 2 || letters > MOST_LETTERS)
      throw expected(`a phrase of 1 to ${MOST_LETTERS} letters`, `${at}[${i}].phrase`, phrase);
    finite(`${at}[${i}].weight`, weight ?? DEFAULT_BOOST_WEIGHT, 0, 20);
  });
}

/**
 * Reads phrases to boost from a text file: one per line, optionally followed by a tab and a weight (0 to 20). Empty lines and lines that
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

/** As SentencePiece sees it: a mark before each word. */
function spelled(phrase: string): string {
  const words = phrase.normalize('NFKC').trim().split(/\s+/);
  return words[0] === ''
    ? ''
    : words
        .map((word) => `▁${word}`)
        .join('')
        .toLowerCase();
}

/** Whether a phrase can be boosted with a vocabulary: it is short enough, and pieces spell it. */
export function canSpell(vocabulary: readonly string[], phrase: string): boolean {
  try {
    boostTree(vocabulary, [{ phrase }]);
    return true;
  } catch {
    return false;
  }
}

/** A tree of letters; node 0 is its root. */
class Letters {
  readonly children: Map<string, number>[] = [new Map()];

  /** The node for `text`; calls `visit` at each node on the way. */
  add(text: string, visit: (node: number, depth: number) => void = () => {}): number {
    let node = 0;
    let depth = 0;
    for (const letter of text) {
      let next = this.children[node]?.get(letter);
      if (next === undefined) {
        next = this.children.push(new Map()) - 1;
        this.children[node]?.set(letter, next);
      }
      node = next;
      visit(node, ++depth);
    }
    return node;
  }
}

interface Pieces {
  letters: Letters;
  /** Tokens whose text ends at a node. */
  tokens: Map<number, number[]>;
}

const piecesOf = new WeakMap<readonly string[], Pieces>();

function pieces(vocabulary: readonly string[]): Pieces {
  const known = piecesOf.get(vocabulary);
  if (known) return known;
  const letters = new Letters();
  const tokens = new Map<number, number[]>();
  vocabulary.forEach((piece, id) => {
    if (piece === '' || /^<.*>$/.test(piece)) return;
    const node = letters.add(piece.toLowerCase());
    const own = tokens.get(node);
    if (own) own.push(id);
    else tokens.set(node, [id]);
  });
  const made = { letters, tokens };
  piecesOf.set(vocabulary, made);
  return made;
}

/**
 * The tree of phrases for a vocabulary. A piece's bonus is the weight of its phrase (the largest, if several share it), half of it for the
 * first piece; a piece without letters (a lone space) has none.
 *
 * @throws {@link ArgumentError} for a phrase that no pieces spell.
 */
export function boostTree(vocabulary: readonly string[], boost: readonly BoostPhrase[]): NativeBoostTree {
  checkBoost(boost);
  const { letters, tokens } = pieces(vocabulary);
  const phrases = new Letters();
  const weights: number[] = [0];
  const ends = new Map<number, BoostPhrase>();
  for (const one of boost) {
    const weight = one.weight ?? DEFAULT_BOOST_WEIGHT;
    const end = phrases.add(spelled(one.phrase), (node) => {
      weights[node] = Math.max(weights[node] ?? 0, weight);
    });
    ends.set(end, one);
  }
  const edges: { token: number; next: number; bonus: number }[][] = phrases.children.map(() => []);
  const reached = new Set([0]);
  // A set may grow during iteration: the node that a piece leads to is visited later.
  for (const from of reached) {
    const own = edges[from] as (typeof edges)[number];
    const share = from === 0 || from === phrases.children[0]?.get('▁') ? FIRST_SHARE : 1;
    const walk = (node: number, piece: number, lettersSoFar: number) => {
      for (const token of tokens.get(piece) ?? []) {
        own.push({ token, next: node, bonus: lettersSoFar > 0 ? share * (weights[node] as number) : 0 });
        reached.add(node);
      }
      for (const [letter, next] of phrases.children[node] ?? []) {
        const further = letters.children[piece]?.get(letter);
        if (further !== undefined) walk(next, further, lettersSoFar + (letter === '▁' ? 0 : 1));
      }
    };
    walk(from, 0, 0);
    own.sort((a, b) => a.token - b.token);
  }
  for (const [end, { phrase }] of ends) {
    if (!reached.has(end)) {
      throw new ArgumentError(
        `Expected a phrase that the model's vocabulary can spell but received '${phrase}'. Write numbers and signs as they are spoken.`,
      );
    }
  }
  const flat = edges.flat();
  const first = new Int32Array(edges.length + 1);
  edges.forEach((own, i) => {
    first[i + 1] = (first[i] as number) + own.length;
  });
  return {
    first,
    tokens: Int32Array.from(flat, ({ token }) => token),
    next: Int32Array.from(flat, ({ next }) => next),
    bonuses: Float32Array.from(flat, ({ bonus }) => bonus),
    whole: Uint8Array.from(edges, (_, node) => (ends.has(node) ? 1 : 0)),
  };
}

/** {@link boostTree} of optional phrases; `null` for none, as the engine takes it. */
export function boostTreeOrNone(
  vocabulary: readonly string[],
  boost: readonly BoostPhrase[] | undefined,
): NativeBoostTree | null {
  if (boost === undefined) return null;
  const tree = boostTree(vocabulary, boost);
  return boost.length > 0 ? tree : null;
}
