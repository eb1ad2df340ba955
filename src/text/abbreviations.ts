/**
 * Words with a full stop that does not end a sentence: abbreviations, initials, and ordinals ("24. Dezember"), in the languages of Latin
 * script that Parakeet models know. In doubt, the surrounding words decide.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Always followed by a name or a word: never the end. */
const GOES_ON = words(
  // English, and shared by many languages
  'dr mr mrs ms mx prof rev hon gen col maj capt cmdr lt sgt gov sen rep pres st mt ft messrs vs ca cf approx dept univ viz ' +
    // French
    'mm mme mmes mlle mlles mgr ste av bd env hab ' +
    // German
    'hr hrn fr frl dipl ing bzw bzgl evtl ggf inkl exkl zzgl insb vgl sog mio mrd tsd geb gegr sel ' +
    // Spanish, Portuguese, Italian
    'sr sra srta dra ud uds ee exmo sig dott avv ' +
    // Dutch, Danish, Norwegian, Swedish, Polish
    'dhr mevr drs bijv jf np tzn ul św',
);
/** Abbreviations only before a number; otherwise ordinary words. */
const BEFORE_NUMBERS = words(
  'no nr nos vol fig eq sec ch pp p art abs kap bd s abb tab chap núm num pág pag str max min mind kl tel',
);
/** These sometimes end a sentence: only before a capital letter. */
const UNCERTAIN = words(
  'etc inc ltd co corp bros jr al ed eds est usw usf jh jhd chr enz itd itp uu std sek ' +
    'jan feb febr mar apr jun jul aug sep sept oct okt nov dec dez janv févr avr juil déc ene ago dic ' +
    'mon tue tues wed thu thur thurs fri sat ave blvd rd',
);
/** U.S., e.g., p.m., J.-C., f.eks., bl.a.: groups of a few letters, each with a full stop. */
const DOTTED = /^\p{L}{1,3}(?:\.-?\p{L}{1,4})+\.$/u;
/** J. as in J. S. Bach. The pronoun I is not an initial. */
const INITIAL = /^(?!I\.)\p{Lu}\.$/u;
/** The first half of "z. B.", "d. h.", "u. a.", "o. Ä.", "v. Chr.", which are correctly written with a space. */
const HALVES = words('z. d. u. o. i. v. n.');
/** The sentence always goes on after these, whatever follows. */
const EXAMPLES = words('e.g. i.e. z.b. d.h. u.a. p.ej. p.ex. c.-à-d. f.eks. t.ex. bl.a. o.a. d.w.z.');

/** An ordinal, in digits. */
const ORDINAL = /^\d{1,3}\.$/;
/** Words that precede an ordinal in German, and that do not precede a number at the end of an English sentence. */
const BEFORE_ORDINAL = words(
  'am vom zum im beim der die das den dem des zur ins ab seit ' +
    'montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag jeder jeden jedem jede unser unsere unserem',
);
/** Words that begin a sentence rather than follow an ordinal; within a sentence all are written in lower case. */
const STARTERS = words(
  'ich du er sie es wir ihr man dann da danach aber und oder doch denn dort hier heute jetzt so wenn als wie was wer wo ' +
    'ein eine in im am an auf mit nach für der die das den dem ja nein i we he she it they then the a my but and so',
);
const MONTHS = [
  'Januar',
  'Jänner',
  'Februar',
  'März',
  'April',
  'Mai',
  'Juni',
  'Juli',
  'August',
  'September',
  'Oktober',
].concat(['November', 'Dezember']);

/**
 * Whether a sentence goes on after a word that ends with a full stop, although a space follows.
 *
 * @param word The word, including an opening bracket or quotation mark.
 * @param next The text that follows, as far as it is known: a word or the beginning of one.
 * @param before The text of the sentence before the word, as far as it is known.
 * @param cased The transcript has capital letters: then no sentence begins with a lower-case one.
 */
export function goesOnAfter(word: string, next: string, before = '', cased = false): boolean {
  const bare = word.trim().replace(/^[("'“‘«„[]+/, '');
  const following = next.trim().replace(/^["'“‘«„([]+/, '');
  const isSmall = /^\p{Ll}/u.test(following);
  if (isSmall && cased) return true;
  const lower = bare.toLowerCase();
  if (EXAMPLES.has(lower) || INITIAL.test(bare)) return true;
  if (ORDINAL.test(bare)) return isSmall || isOrdinal(following, before);
  const stem = lower.replace(/\.$/, '');
  const last = lastWord(before);
  if (HALVES.has(bare) || (/^\p{Ll}\.$/u.test(bare) && /^\p{L}\.$/u.test(last))) return true;
  // "p. ex. Paris", "p. ej. Madrid", "Dr. med. Weiß".
  if ((stem === 'ex' || stem === 'ej') && last === 'p.') return true;
  if (/^\p{Ll}{2,5}\.$/u.test(bare) && (last === 'dr.' || last === 'prof.')) return true;
  if (GOES_ON.has(stem)) return /^[\p{L}\p{N}]/u.test(following);
  if (BEFORE_NUMBERS.has(stem) || /\p{Ll}str$/u.test(stem)) return /^\p{N}/u.test(following);
  // The rest goes on only before lower-case letters and numbers.
  if (UNCERTAIN.has(stem) || DOTTED.test(bare)) return !/^\p{Lu}/u.test(following);
  return false;
}

/** "Am 24. Dezember", "der 2. Weltkrieg", "5. 6. 2020"; but "I am 24. My brother". */
function isOrdinal(following: string, before: string): boolean {
  if (/^\d{1,2}(?!\d)/.test(following)) return true;
  if (!/^\p{Lu}/u.test(following) || /\bI(?:['’]m| am)$/i.test(before.trim())) return false;
  const last = lastWord(before).replace(/,$/, '');
  if (STARTERS.has(following.toLowerCase())) return false;
  if (BEFORE_ORDINAL.has(last)) return true;
  // At the beginning of a sentence, or of a date: "24. Dezember".
  const isMonth = MONTHS.some(
    (month) => following.startsWith(month) || (following.length > 2 && month.startsWith(following)),
  );
  return isMonth && (last === '' || before.trim().endsWith(',') || /\p{Ll}$/u.test(last));
}

function lastWord(text: string): string {
  return text.trim().split(/\s+/).at(-1)?.toLowerCase() ?? '';
}
