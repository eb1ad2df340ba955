/**
 * Words with a full stop that ends no sentence. English, and what other languages of Latin script share; where it is uncertain, the next
 * word decides.
 */

/** A name or a number follows these: never the end. */
const TITLES = new Set(
  (
    'dr mr mrs ms mx prof rev hon gen col maj capt cmdr lt sgt gov sen rep pres st mt ft messrs mme mlle sr sra ' +
    'no nr vol fig eq sec ch pp vs ca cf approx dept univ'
  ).split(' '),
);
/** These end a sentence now and then: only before a capital letter. */
const UNCERTAIN = new Set(
  (
    'etc inc ltd co corp bros jr al ed eds est jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu ' +
    'thur thurs fri sat ave blvd rd'
  ).split(' '),
);
/** U.S., e.g., p.m., z.B.: letters with a stop after each. */
const DOTTED = /^\p{L}(?:\.\p{L})+\.$/u;
/** J. as in J. S. Bach. The pronoun I is none. */
const INITIAL = /^(?!I\.)\p{Lu}\.$/u;
/** An e.g. or i.e. always goes on. */
const GOES_ON = new Set(['e.g.', 'i.e.', 'z.b.', 'd.h.', 'p.ej.', 'viz.']);

/**
 * Whether a sentence goes on after a word, full stop included, although a space follows.
 *
 * @param word As it stands, with what opens it (a bracket, a quote).
 * @param next The text that follows.
 */
export function goesOnAfter(word: string, next: string): boolean {
  const bare = word.trim().replace(/^[("'“‘[]+/, '');
  const lower = bare.toLowerCase();
  if (GOES_ON.has(lower) || INITIAL.test(bare)) return true;
  const stem = lower.replace(/\.$/, '');
  if (TITLES.has(stem)) return /^[\p{L}\p{N}("'“]/u.test(next.trim());
  if (UNCERTAIN.has(stem) || DOTTED.test(bare)) return !/^["'“‘(]?\p{Lu}/u.test(next.trim());
  return false;
}
