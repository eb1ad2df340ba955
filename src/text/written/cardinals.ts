/** Cardinal and ordinal numbers in words: how much they are, and where they end. */
import { DIGITS, ORDINAL_DIGITS, ORDINAL_TEENS, ORDINAL_TENS, SCALES, TEENS, TENS } from './number-words.js';

/** A number that was read. */
export interface Read {
  /** The word behind it. */
  end: number;
  value: number;
  /** Its last scale, when nothing follows it: "three million" is 3 of 1e6. */
  scale?: number;
}

/** Words as they are compared: lower case, without punctuation around them. */
export type Words = readonly string[];

/** Digits that are written as such: "30" stands for itself. */
export function numeral(word: string | undefined): number | undefined {
  return word !== undefined && /^\d{1,4}$/.test(word) ? Number(word) : undefined;
}

/** A number below 100, in words: "seven", "seventeen", "seventy", "seventy seven", "seventy-seven". */
export function small(words: Words, at: number): Read | undefined {
  const word = words[at];
  if (word === undefined) return undefined;
  const hyphen = /^([a-z]+)-([a-z]+)$/.exec(word);
  if (hyphen) {
    const [tens, unit] = [TENS[hyphen[1] as string], DIGITS[hyphen[2] as string]];
    return tens !== undefined && unit ? { end: at + 1, value: tens + unit } : undefined;
  }
  const own = DIGITS[word] ?? TEENS[word];
  if (own !== undefined) return { end: at + 1, value: own };
  const tens = TENS[word];
  if (tens === undefined) return undefined;
  const unit = DIGITS[words[at + 1] ?? ''];
  return unit ? { end: at + 2, value: tens + unit } : { end: at + 1, value: tens };
}

/** A number below 1000 (up to ninety-nine hundred): "two hundred", "two hundred and five", "a hundred and five". */
function belowThousand(words: Words, at: number): Read | undefined {
  const a = words[at] === 'a' && words[at + 1] === 'hundred';
  const first = a ? { end: at + 1, value: 1 } : small(words, at);
  if (!first || words[first.end] !== 'hundred' || first.value === 0) return a ? undefined : first;
  const hundreds = { end: first.end + 1, value: first.value * 100 };
  const and = words[hundreds.end] === 'and' ? 1 : 0;
  const rest = small(words, hundreds.end + and);
  // "Two hundred and two hundred": the second number is one of its own.
  const own = rest && rest.value > 0 && (and === 0 || words[rest.end] !== 'hundred');
  return own ? { end: rest.end, value: hundreds.value + rest.value } : hundreds;
}

/** The longest cardinal number from a word on. */
export function cardinal(words: Words, at: number): Read | undefined {
  let end = at;
  let value = 0;
  let last = Number.POSITIVE_INFINITY;
  let scale: number | undefined;
  for (;;) {
    const and = end > at && words[end] === 'and' ? 1 : 0;
    const a = end === at && words[at] === 'a' && (words[at + 1] ?? '') in SCALES;
    const part = a ? { end: at + 1, value: 1 } : belowThousand(words, end + and);
    if (!part) break;
    const own = SCALES[words[part.end] ?? ''];
    if (own === undefined) {
      // What follows a scale is less than it; after "and" it is below 100.
      if (part.value >= last || (end > at && part.value === 0) || (and === 1 && part.value >= 100)) break;
      return { end: part.end, value: value + part.value };
    }
    if (own >= last || part.value === 0) break;
    value += part.value * own;
    end = part.end + 1;
    last = own;
    scale = own;
  }
  return end === at ? undefined : { end, value, ...(scale === undefined ? {} : { scale }) };
}

/** An ordinal number in words: "tenth", "twenty first", "twenty-first", "one hundred and third". */
export function ordinal(words: Words, at: number): Read | undefined {
  // The words before the last are a cardinal one that leaves room for it.
  for (let end = Math.min(words.length, at + 8); end > at; end--) {
    const last = words[end - 1] as string;
    const [tens, unit] = last.split('-');
    const hyphened = unit && TENS[tens as string] !== undefined ? ORDINAL_DIGITS[unit] : undefined;
    const own =
      hyphened === undefined
        ? (ORDINAL_DIGITS[last] ?? ORDINAL_TEENS[last] ?? ORDINAL_TENS[last])
        : hyphened + (TENS[tens as string] as number);
    if (own === undefined) continue;
    if (end - 1 === at) return { end, value: own };
    const before = cardinalEnding(words.slice(at, end - 1));
    if (before === undefined) continue;
    const room = before % 100 === 0 ? 100 : before % 10 === 0 && before % 100 >= 20 ? 10 : 0;
    if (own < room) return { end, value: before + own };
  }
  return undefined;
}

/** The value of words that are one cardinal number and nothing else, but for an "and" at the end. */
function cardinalEnding(words: Words): number | undefined {
  const until = words.at(-1) === 'and' ? words.length - 1 : words.length;
  const read = cardinal(words, 0);
  return read?.end === until ? read.value : undefined;
}

/** As it is written: 4 digits without a comma, more with commas; millions and more as words, where they are round. */
export function cardinalText({ value, scale }: Read): string {
  if (scale !== undefined && scale >= 1e6 && value % scale === 0) {
    const name = Object.keys(SCALES).find((word) => SCALES[word] === scale);
    return `${grouped(value / scale)} ${name}`;
  }
  return grouped(value);
}

function grouped(value: number): string {
  const digits = String(value);
  return value < 1e4 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "1st", "2nd", "3rd", "11th". */
export function ordinalText(value: number): string {
  const [ten, one] = [value % 100, value % 10];
  const ending =
    ten >= 11 && ten <= 13 ? 'th' : one === 1 ? 'st' : one === 2 ? 'nd' : one === 3 ? 'rd' : 'th';
  return `${grouped(value)}${ending}`;
}
