/**
 * How spoken numbers are written in English, conservatively: what could mean two things stays as it was said. Each rule reads words from a
 * place on; the first that can is taken.
 */
import {
  cardinal,
  cardinalText,
  numeral,
  ordinal,
  ordinalText,
  type Read,
  small,
  type Words,
} from './cardinals.js';
import {
  CENTS,
  CURRENCIES,
  DECADES,
  DIGITS,
  MONTHS,
  NUMBERED,
  OH,
  SCALES,
  TEENS,
  TENS,
  UNITS,
} from './number-words.js';

/** The words of a run, and what stands before it. */
export interface Run {
  /** Lower case, without the punctuation behind them. */
  words: Words;
  /** As they were said, likewise without punctuation. */
  said: Words;
  /** The word before the run, lower case; empty at the start of a sentence. */
  before: string;
}

/** What is written in place of the words up to `end`. */
export interface Written {
  end: number;
  text: string;
}

type Rule = (run: Run, at: number) => Written | undefined;

/** A digit, a ten or the like, which belongs to a number wherever it stands. */
export function isNumberWord(word: string | undefined): boolean {
  if (word === undefined) return false;
  const plain = word in DIGITS || word in TEENS || word in TENS || word in SCALES || word === 'hundred';
  return plain || OH.includes(word) || numeral(word) !== undefined || small([word], 0) !== undefined;
}

/** A number below 100 in words, or digits. */
function smallOrNumeral(words: Words, at: number): Read | undefined {
  const own = numeral(words[at]);
  return small(words, at) ?? (own === undefined ? undefined : { end: at + 1, value: own });
}

function digitOf(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  return OH.includes(word) ? 0 : (DIGITS[word] ?? (/^\d$/.test(word) ? Number(word) : undefined));
}

/** Digits one by one, "double five" among them. */
function digitsFrom(words: Words, at: number): { end: number; digits: string } {
  let digits = '';
  let end = at;
  for (;;) {
    const times = { double: 2, triple: 3 }[words[end] ?? ''];
    const digit = digitOf(words[times ? end + 1 : end]);
    if (digit === undefined) return { end, digits };
    digits += String(digit).repeat(times ?? 1);
    end += times ? 2 : 1;
  }
}

/** Telephone numbers, and other rows of seven or more digits; of fewer only with an "oh" within: "four oh four". */
const digitRow: Rule = ({ words }, at) => {
  const { end, digits } = digitsFrom(words, at);
  if (isNumberWord(words[end])) return undefined;
  const oh = words.slice(at + 1, end - 1).some((word) => OH.includes(word));
  if (digits.length < 3 || (digits.length < 7 && !oh)) return undefined;
  const groups =
    digits.length === 7
      ? /^(\d{3})(\d{4})$/
      : digits.length === 10
        ? /^(\d{3})(\d{3})(\d{4})$/
        : digits.length === 11 && digits.startsWith('1')
          ? /^(1)(\d{3})(\d{3})(\d{4})$/
          : /^(\d+)$/;
  return { end, text: (groups.exec(digits) as RegExpExecArray).slice(1).join('-') };
};

/** A number of a year: "nineteen eighty four", "twenty oh five", "two thousand and five". */
function year(words: Words, at: number): Read | undefined {
  const century = small(words, at);
  if (century && century.end === at + 1 && century.value >= 11 && century.value <= 20) {
    const oh = OH.includes(words[century.end] ?? '') ? digitOf(words[century.end + 1]) : undefined;
    const rest = oh === undefined ? small(words, century.end) : { end: century.end + 2, value: oh };
    if (rest && (oh !== undefined || rest.value >= 10) && !isNumberWord(words[rest.end]))
      return { end: rest.end, value: century.value * 100 + rest.value };
  }
  const whole = cardinal(words, at);
  const own = numeral(words[at]);
  if (own !== undefined && own >= 1100) return { end: at + 1, value: own };
  return whole && whole.value >= 1100 && whole.value < 2100 && !isNumberWord(words[whole.end])
    ? whole
    : undefined;
}

/** "nineteen eighties". */
const decade: Rule = ({ words }, at) => {
  const century = small(words, at);
  const tens = DECADES[words[at + 1] ?? ''];
  if (!century || century.end !== at + 1 || century.value < 11 || century.value > 20 || tens === undefined)
    return undefined;
  return { end: at + 2, text: `${century.value}${tens}s` };
};

/** "twenty twenty" and the like, where no other number stands beside it. */
const plainYear: Rule = ({ words }, at) => {
  const century = small(words, at);
  const read = year(words, at);
  return century &&
    read &&
    read.end > century.end &&
    !['hundred', 'thousand', 'and'].includes(words[at + 1] ?? '')
    ? { end: read.end, text: String(read.value) }
    : undefined;
};

function isMonth({ words, said }: Run, at: number): boolean {
  return MONTHS.includes(words[at] ?? '') && /^\p{Lu}/u.test(said[at] ?? '');
}

/** A day of a month: an ordinal, or a number in words. */
function day(words: Words, at: number): (Read & { ordinal: boolean }) | undefined {
  const named = ordinal(words, at);
  if (named && named.value <= 31) return { ...named, ordinal: true };
  const read = smallOrNumeral(words, at);
  return read && read.value >= 1 && read.value <= 31 ? { ...read, ordinal: false } : undefined;
}

/** "July fourth", "July the fourth seventeen seventy six", "May twenty twenty", "the fourth of July". */
const date: Rule = (run, at) => {
  const { words, said } = run;
  if (isMonth(run, at)) {
    const own = year(words, at + 1);
    if (own && (own.value >= 1500 || numeral(words[at + 1]) !== undefined))
      return { end: own.end, text: `${said[at]} ${own.value}` };
    const the = words[at + 1] === 'the' ? 1 : 0;
    const read = day(words, at + 1 + the);
    if (!read || (the === 1 && !read.ordinal)) return undefined;
    const then = year(words, read.end);
    if (then) return { end: then.end, text: `${said[at]} ${read.value}, ${then.value}` };
    // "May two of us …": these months are other words too.
    const sure = read.ordinal || !['may', 'march'].includes(words[at] as string) || read.value >= 10;
    if (!sure || isNumberWord(words[read.end])) return undefined;
    return { end: read.end, text: `${said[at]} ${read.ordinal ? ordinalText(read.value) : read.value}` };
  }
  const read = ordinal(words, at);
  if (!read || read.value > 31 || words[read.end] !== 'of' || !isMonth(run, read.end + 1)) return undefined;
  const month = said[read.end + 1] as string;
  const then = year(words, read.end + 2);
  return {
    end: then?.end ?? read.end + 2,
    text: `${ordinalText(read.value)} of ${month}${then ? ` ${then.value}` : ''}`,
  };
};

/** How many words "a.m." or "p.m." has here, which may be two letters; and how it is written. */
function meridiem({ words, said }: Run, at: number): { end: number; text: string } | undefined {
  const word = words[at];
  if (word === 'a.m' || word === 'p.m') return { end: at + 1, text: `${word}.` };
  if (word === 'pm' || said[at] === 'AM') return { end: at + 1, text: `${(word as string)[0]}.m.` };
  if ((word === 'a' || word === 'p') && words[at + 1] === 'm') return { end: at + 2, text: `${word}.m.` };
  return undefined;
}

/** "three thirty p.m.", "nine oh five a.m.", "three p.m.", "three o'clock". */
const time: Rule = (run, at) => {
  const { words } = run;
  const hour = smallOrNumeral(words, at);
  if (!hour || hour.value < 1 || hour.value > 12) return undefined;
  const full = meridiem(run, hour.end);
  if (full) return { end: full.end, text: `${hour.value} ${full.text}` };
  if (words[hour.end] === "o'clock") return { end: hour.end + 1, text: `${hour.value} o'clock` };
  const oh = OH.includes(words[hour.end] ?? '') ? digitOf(words[hour.end + 1]) : undefined;
  const minute =
    oh !== undefined
      ? { end: hour.end + 2, value: oh }
      : (small(words, hour.end) ??
        (/^[0-5]\d$/.test(words[hour.end] ?? '')
          ? { end: hour.end + 1, value: Number(words[hour.end]) }
          : undefined));
  if (
    !minute ||
    minute.value > 59 ||
    (oh === undefined && minute.value < 10 && !/^0\d$/.test(words[hour.end] as string))
  )
    return undefined;
  const then = meridiem(run, minute.end);
  return (
    then && { end: then.end, text: `${hour.value}:${String(minute.value).padStart(2, '0')} ${then.text}` }
  );
};

/** A whole number or one with a decimal point, as it is written: "three point one four", "two and a half" is none. */
function amount(run: Run, at: number): (Written & { value: number }) | undefined {
  const { words, before } = run;
  const own = numeral(words[at]);
  const whole = cardinal(words, at) ?? (own === undefined ? undefined : { end: at + 1, value: own });
  if (!whole) return undefined;
  // "At one point two people left".
  if (words[whole.end] === 'point' && !(before === 'at' && at === 0)) {
    const fraction = fractionFrom(words, whole.end + 1);
    const next = words[fraction?.end ?? 0];
    if (!fraction || next === 'point' || (isNumberWord(next) && !((next as string) in SCALES)))
      return undefined;
    const text = `${whole.value}.${fraction.digits}`;
    return withScale(words, fraction.end, text, Number(text));
  }
  if (isNumberWord(words[whole.end])) return undefined;
  return { end: whole.end, text: cardinalText(whole), value: whole.value };
}

/** What stands behind "point": digits one by one, or a number below 100. */
function fractionFrom(words: Words, at: number): { end: number; digits: string } | undefined {
  const row = digitsFrom(words, at);
  if (row.digits !== '') return row;
  const read = smallOrNumeral(words, at);
  return read && { end: read.end, digits: String(read.value) };
}

/** "two point five million". */
function withScale(words: Words, at: number, text: string, value: number): Written & { value: number } {
  const word = words[at] ?? '';
  return word in SCALES
    ? { end: at + 1, text: `${text} ${word}`, value: value * (SCALES[word] as number) }
    : { end: at, text, value };
}

/** "five dollars", "twenty dollars and fifty cents", "three million euros". */
const money: Rule = (run, at) => {
  const { words } = run;
  const read = amount(run, at);
  if (!read) return undefined;
  const currency = CURRENCIES.find(({ spoken }) => spoken.includes(words[read.end] ?? ''));
  if (!currency) return undefined;
  const end = read.end + 1;
  const and = words[end] === 'and' ? 1 : 0;
  const cents = small(words, end + and);
  if (cents && CENTS.includes(words[cents.end] ?? '') && Number.isInteger(read.value)) {
    return {
      end: cents.end + 1,
      text: `${currency.sign}${read.text}.${String(cents.value).padStart(2, '0')}`,
    };
  }
  return { end, text: `${currency.sign}${read.text}` };
};

/** "five percent", "twenty kilometers per hour". The longest name of a unit counts. */
const unit: Rule = (run, at) => {
  const read = amount(run, at);
  if (!read) return undefined;
  const named = UNITS.filter(({ spoken }) => spoken.every((word, i) => run.words[read.end + i] === word));
  const [longest] = named.sort((a, b) => b.spoken.length - a.spoken.length);
  return longest && { end: read.end + longest.spoken.length, text: `${read.text}${longest.written}` };
};

/** "version two point one point three", and other numbers with two points or more. */
const version: Rule = ({ words }, at) => {
  const parts: number[] = [];
  let end = at;
  for (;;) {
    const read = smallOrNumeral(words, end);
    if (!read) return undefined;
    parts.push(read.value);
    end = read.end;
    if (words[end] !== 'point') break;
    end++;
  }
  return parts.length >= 3 && !isNumberWord(words[end]) ? { end, text: parts.join('.') } : undefined;
};

/** "three point one four". */
const decimal: Rule = (run, at) => {
  const read = amount(run, at);
  return read?.text.includes('.') ? read : undefined;
};

/** Ordinals from ten up. "Twenty second" may be an adjective, and "one tenth" is a fraction. */
const plainOrdinal: Rule = ({ words }, at) => {
  const read = ordinal(words, at);
  if (!read || read.value < 10) return undefined;
  if (words[read.end - 1] === 'second') return undefined;
  const before = words[at - 1];
  return before === 'a' || isNumberWord(before)
    ? undefined
    : { end: read.end, text: ordinalText(read.value) };
};

/** Cardinals from ten up; below only behind "chapter" and the like. "A hundred" alone is no number. */
const plainCardinal: Rule = (run, at) => {
  const { words, before } = run;
  const read = amount(run, at);
  if (!read || numeral(words[at]) !== undefined) return undefined;
  if (words[at] === 'a' && read.end === at + 2) return undefined;
  const numbered = at === 0 && NUMBERED.includes(before);
  if (read.value < 10 && !numbered) return undefined;
  // "Twenty tenths", "twenty second": with an ordinal behind it, it is something else.
  return ordinal(words, read.end) ? undefined : read;
};

export const RULES: readonly Rule[] = [
  time,
  digitRow,
  date,
  version,
  money,
  unit,
  decimal,
  decade,
  plainYear,
  plainOrdinal,
  plainCardinal,
];
