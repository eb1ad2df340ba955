/**
 * The pieces of a vocabulary as characters, each with what the engine must know of it (native/model/boost.h). Which characters are numbered is up to
 * the phrases.
 */

/** Flags of a character, below its number. */
const WORD = 1;
const LETTER_OR_DIGIT = 2;
const UPPERCASE = 4;
const SHIFT = 3;

/** Letters, marks and digits are parts of words, except in scripts without spaces between words. */
const OF_WORD = /[\p{L}\p{M}\p{N}]/u;
const WIDE = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Bopo}\p{sc=Yiii}\uff00-\uffef]/u;
/** Pieces that are no text. They spell no phrase, and end one that was begun, as their characters do. */
const CONTROL = /^<.*>$/;

interface Pieces {
  /** Of each piece its first character, and one entry more at the end. */
  first: Int32Array;
  characters: readonly string[];
  flags: Int32Array;
  /** The texts of all pieces, with spaces. */
  texts: ReadonlySet<string>;
  lowerTexts: ReadonlySet<string>;
  /** Characters of the longest piece. */
  longest: number;
}

const known = new WeakMap<readonly string[], Pieces>();

function piecesOf(vocabulary: readonly string[]): Pieces {
  const before = known.get(vocabulary);
  if (before) return before;
  const texts = vocabulary.map((piece) => piece.replaceAll('▁', ' '));
  const spoken = texts.filter((text) => text !== '' && !CONTROL.test(text));
  const split = texts.map((text) => [...text]);
  const characters = split.flat();
  const first = new Int32Array(texts.length + 1);
  split.forEach((own, i) => {
    first[i + 1] = (first[i] as number) + own.length;
  });
  const made: Pieces = {
    first,
    characters,
    flags: Int32Array.from(characters, flagsOf),
    texts: new Set(spoken),
    lowerTexts: new Set(spoken.map((text) => text.toLowerCase())),
    longest: Math.max(0, ...split.map((own) => own.length)),
  };
  known.set(vocabulary, made);
  return made;
}

function flagsOf(character: string): number {
  const word = OF_WORD.test(character) && !WIDE.test(character) ? WORD : 0;
  const letter = /[\p{L}\p{N}]/u.test(character) ? LETTER_OR_DIGIT : 0;
  return word | letter | (/\p{Uppercase}/u.test(character) ? UPPERCASE : 0);
}

/** The characters of all pieces, by `numbers`; those without one are 0. */
export function numberedPieces(
  vocabulary: readonly string[],
  numbers: ReadonlyMap<string, number>,
): { firstCharacter: Int32Array; characters: Int32Array } {
  const { first, characters, flags } = piecesOf(vocabulary);
  const numbered = Int32Array.from(
    characters,
    (character, i) => ((numbers.get(character) ?? 0) << SHIFT) | (flags[i] as number),
  );
  return { firstCharacter: first, characters: numbered };
}

/**
 * Whether pieces can spell a text. `begins`: from the beginning of a word to its end; without it, each character must be in some piece.
 */
export function spells(
  vocabulary: readonly string[],
  text: string,
  { begins, caseSensitive }: { begins: boolean; caseSensitive: boolean },
): boolean {
  const { texts, lowerTexts, longest, characters } = piecesOf(vocabulary);
  const pieces = caseSensitive ? texts : lowerTexts;
  const wanted = [...(caseSensitive ? text : text.toLowerCase())];
  if (!begins) {
    const there = new Set(caseSensitive ? characters : characters.map((one) => one.toLowerCase()));
    return wanted.every((character) => there.has(character));
  }
  // The space before a word may be missing: at the beginning, and after signs.
  const all = [' ', ...wanted];
  const reached = [true, true];
  for (let end = 2; end <= all.length; end++) {
    reached[end] = false;
    for (let from = Math.max(0, end - longest); from < end && !reached[end]; from++)
      reached[end] = reached[from] === true && pieces.has(all.slice(from, end).join(''));
  }
  return reached[all.length] === true;
}
