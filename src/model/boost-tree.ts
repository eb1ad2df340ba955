/**
 * Phrases as the engine follows them (native/model/boost.h): a tree of their characters, with what is earned at each node. So a phrase is found
 * however the pieces of the vocabulary spell it.
 */
import type { NativeBoostTree, NativeModelInfo } from '../engine/addon.js';
import { ArgumentError } from '../errors.js';
import {
  type BoostPhrase,
  checkBoost,
  checkFirstUppercase,
  DEFAULT_BOOST_WEIGHT,
  phraseText,
} from './boost.js';
import { numberedPieces, spells } from './boost-characters.js';

/** Roots, in the engine's order: of whole words in any casing, in their own; of phrases anywhere in any casing, in their own. */
const ROOTS = 4;
const WHOLE_ROOTS = 2;

/** A tree of characters with several roots. */
class Characters {
  /** Of each node its children by character; of a tree in any casing, by lower case. */
  readonly children: Map<string, number>[] = [];
  readonly root: number[] = [];

  constructor() {
    for (let root = 0; root < ROOTS; root++) this.#add(root);
  }

  next(node: number, character: string): number {
    const known = this.children[node]?.get(character);
    if (known !== undefined) return known;
    const made = this.#add(this.root[node] as number);
    this.children[node]?.set(character, made);
    return made;
  }

  #add(root: number): number {
    this.root.push(root);
    return this.children.push(new Map()) - 1;
  }
}

const rootOf = ({ wholeWords = true, caseSensitive = false }: BoostPhrase): number =>
  (wholeWords ? 0 : WHOLE_ROOTS) + (caseSensitive ? 1 : 0);
const anyCasing = (root: number): boolean => root % 2 === 0;

/**
 * The tree of phrases for a vocabulary.
 *
 * @param firstUppercase Weight of a capital as the first letter of a transcript.
 * @throws {@link ArgumentError} for a phrase that no pieces spell.
 */
export function boostTree(
  vocabulary: readonly string[],
  boost: readonly BoostPhrase[],
  firstUppercase = 0,
): NativeBoostTree {
  checkBoost(boost);
  for (const one of boost) mustSpell(vocabulary, one);
  return phraseTree(vocabulary, boost, firstUppercase);
}

/** {@link boostTree} of phrases that are known to be right. */
export function phraseTree(
  vocabulary: readonly string[],
  boost: readonly BoostPhrase[],
  firstUppercase = 0,
): NativeBoostTree {
  const tree = new Characters();
  const weights: number[] = [];
  const potentials: number[] = [];
  for (const one of boost) {
    const { weight = DEFAULT_BOOST_WEIGHT } = one;
    const root = rootOf(one);
    const text = phraseText(one.phrase);
    const characters = [...(anyCasing(root) ? text.toLowerCase() : text)];
    let node = root;
    for (const [i, character] of characters.entries()) {
      node = tree.next(node, character);
      // What was begun is only expected, never feared: nothing is earned on the way to a phrase that is to be avoided.
      if (weight > 0)
        potentials[node] = Math.max(potentials[node] ?? 0, (weight * (i + 1)) / characters.length);
    }
    weights[node] = weight;
  }
  return { ...engineTree(vocabulary, tree, weights, potentials), firstUppercase };
}

/** Whether a phrase can be boosted with a vocabulary, in the way that it asks for: it is short enough, and pieces spell it. */
export function canSpell(vocabulary: readonly string[], boost: BoostPhrase): boolean {
  try {
    checkBoost([boost]);
    mustSpell(vocabulary, boost);
    return true;
  } catch {
    return false;
  }
}

/** {@link boostTree} of optional phrases; `null` for none, as the engine takes it. */
export function boostTreeOrNone(
  vocabulary: readonly string[],
  boost: readonly BoostPhrase[] | undefined,
  firstUppercase?: number,
): NativeBoostTree | null {
  const weight = checkFirstUppercase(firstUppercase);
  return weight === 0 && (boost ?? []).length === 0 ? null : boostTree(vocabulary, boost ?? [], weight);
}

/** Makes phrases ready for the engine. @throws {@link ArgumentError} */
export type Booster = (boost: readonly BoostPhrase[]) => NativeBoostTree | null;

/** How a stream replaces its phrases: {@link boostTreeOrNone} with what else its options say. */
export function boosterOf(
  { vocabulary }: Pick<NativeModelInfo, 'vocabulary'>,
  { firstUppercase }: { firstUppercase?: number | undefined } = {},
): Booster {
  return (boost) => boostTreeOrNone(vocabulary, boost, firstUppercase);
}

function mustSpell(vocabulary: readonly string[], one: BoostPhrase): void {
  const { phrase, wholeWords: begins = true, caseSensitive = false } = one;
  if (spells(vocabulary, phraseText(phrase), { begins, caseSensitive })) return;
  throw new ArgumentError(
    `Expected a phrase that the model's vocabulary can spell but received '${phrase}'. Write numbers and signs as they are spoken.`,
  );
}

/** The tree in arrays. In any casing, an edge for each of a character's forms. */
function engineTree(
  vocabulary: readonly string[],
  { children, root }: Characters,
  weights: readonly (number | undefined)[],
  potentials: readonly (number | undefined)[],
): Omit<NativeBoostTree, 'firstUppercase'> {
  const numbers = new Map<string, number>();
  const numberOf = (character: string): number => {
    const number = numbers.get(character) ?? numbers.size + 1;
    numbers.set(character, number);
    return number;
  };
  const edges = children.map((own, node) =>
    [...own]
      .flatMap(([character, next]) =>
        formsOf(character, anyCasing(root[node] as number)).map((form) => ({
          character: numberOf(form),
          next,
        })),
      )
      .sort((a, b) => a.character - b.character),
  );
  const firstEdge = new Int32Array(edges.length + 1);
  edges.forEach((own, i) => {
    firstEdge[i + 1] = (firstEdge[i] as number) + own.length;
  });
  const flat = edges.flat();
  return {
    ...numberedPieces(vocabulary, numbers),
    firstEdge,
    edgeCharacters: Int32Array.from(flat, ({ character }) => character),
    edgeNext: Int32Array.from(flat, ({ next }) => next),
    weights: Float64Array.from(children, (_, node) => weights[node] ?? 0),
    potentials: Float64Array.from(children, (_, node) => potentials[node] ?? 0),
    whole: Uint8Array.from(root, (own) => (own < WHOLE_ROOTS ? 1 : 0)),
  };
}

/** A character and, in any casing, its capital, where that is one character. */
function formsOf(character: string, any: boolean): string[] {
  const capital = character.toUpperCase();
  return any && capital !== character && [...capital].length === 1 ? [character, capital] : [character];
}
