/**
 * The marks that end a sentence by themselves, in the languages that have them. The full stop is not among them, because it also ends
 * abbreviations and ordinals, see abbreviations.ts.
 */

/**
 * Of all scripts: Latin, Chinese and Japanese, Arabic and Urdu, Devanagari, Ethiopic, Armenian, Khmer, Burmese; and the question mark of
 * Greek.
 */
const MARKS = '!?。｡？！؟۔।॥።፧։។။\u037e';
const ALWAYS = new RegExp(`[${MARKS}]`, 'u');
/** Marks that Greek writes like a semicolon and like a middle dot; in other languages these mean something else. */
const GREEK = /[;·\u0387]/u;
const AFTER_GREEK = /\p{sc=Greek}[^\p{L}]*$/u;
const CLOSING = `["'”’»)\\]]*$`;
const AT_END = new RegExp(`[.${MARKS}]${CLOSING}`, 'u');
const GREEK_AT_END = new RegExp(`[;·\\u0387]${CLOSING}`, 'u');

/** Whether `piece` has a mark that always ends a sentence. `before`: the text before it. */
export function hasEndMark(piece: string, before = ''): boolean {
  if (ALWAYS.test(piece)) return true;
  const at = piece.search(GREEK);
  return at >= 0 && AFTER_GREEK.test(before + piece.slice(0, at));
}

/** Whether a text ends like a sentence: with one of the marks, or with a full stop. */
export function endsLikeSentence(text: string): boolean {
  return AT_END.test(text) || (GREEK_AT_END.test(text) && AFTER_GREEK.test(text));
}
