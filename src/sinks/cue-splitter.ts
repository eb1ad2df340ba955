/**
 * Where cues and their lines are broken: at punctuation, else at pauses, else before function words; so that a cue fits its lines, does not
 * stay on the screen for too long, and can be read. Pure functions of the words; the final timing is in cue-maker.ts.
 */
import { goesOnAfter } from '../text/abbreviations.js';
import { endsLikeSentence } from '../text/sentence-ends.js';
import type { CueWord } from './cue-words.js';
import type { SubtitleRules } from './subtitle-options.js';

/** Longest pause that a cue may span, in seconds, and the shortest that counts as a pause. */
const LONGEST_GAP = 3;
const PAUSE = 0.4;
/** Columns below which a cue or a line looks lost. */
const LONELY = 16;

/** Costs of breaking somewhere; only their order matters. */
const COST = { cue: 5, sentence: 0, clause: 0.6, pause: 1.4, smallWord: 2.4, elsewhere: 3.4, afterSmall: 6 };

const CLAUSE_END = /[,;:…،；：、，–—-]["'”’»)\]]*$/u;

/** Articles, conjunctions, prepositions: they belong to what follows. */
const SMALL_WORDS = new Set(
  (
    'a an the and or but nor so yet for because although though while when where who which that if than as of in on at by to from with ' +
    'without into about after before under over between through ' +
    'der die das den dem des ein eine einen einem einer und oder aber denn weil dass wenn ob als wie von in im an am auf aus bei mit nach ' +
    'zu zum zur für über unter vor ' +
    'le la les un une des du de et ou mais donc car que qui si dans en sur sous avec pour par à au aux ' +
    'el los las unos unas y o pero porque del al con sin por para ' +
    'il lo gli i e ma perché di da su per tra fra che ' +
    'os as um uma mas porém do da no na em com ' +
    'het een en of maar omdat dat van op met voor door'
  ).split(' '),
);

const isSmall = (text: string): boolean => SMALL_WORDS.has(text.toLowerCase());

/** The cost of breaking between two words. */
function breakCost(before: CueWord, after: CueWord): number {
  if (endsLikeSentence(before.text))
    return before.text.endsWith('.') && goesOnAfter(before.text, ` ${after.text}`)
      ? COST.afterSmall
      : COST.sentence;
  if (CLAUSE_END.test(before.text)) return COST.clause;
  if (after.start - before.end >= PAUSE) return COST.pause;
  if (isSmall(before.text)) return COST.afterSmall;
  return isSmall(after.text) ? COST.smallWord : COST.elsewhere;
}

/** The words of each cue. `labelWidth`: columns that the speaker's name takes in the first line of each. */
export function splitCues(words: readonly CueWord[], rules: SubtitleRules, labelWidth = 0): CueWord[][] {
  const best: { cost: number; from: number }[] = [{ cost: 0, from: 0 }];
  for (let end = 1; end <= words.length; end++) {
    const next = words[end];
    const closing = next ? breakCost(words[end - 1] as CueWord, next) : 0;
    let found = { cost: Number.POSITIVE_INFINITY, from: end - 1 };
    for (let from = end - 1; from >= 0; from--) {
      const cue = words.slice(from, end);
      if (from < end - 1 && !fits(cue, rules, labelWidth)) break;
      const cost = (best[from]?.cost ?? 0) + cueCost(cue, next, rules) + closing;
      if (cost < found.cost) found = { cost, from };
    }
    best.push(found);
  }
  const cues: CueWord[][] = [];
  for (let end = words.length; end > 0; end = best[end]?.from ?? 0) {
    cues.unshift(words.slice(best[end]?.from ?? 0, end));
  }
  return cues;
}

function cueCost(cue: readonly CueWord[], next: CueWord | undefined, rules: SubtitleRules): number {
  const start = (cue[0] as CueWord).start;
  const width = widthOfLine(cue);
  let cost = COST.cue + (width < LONELY ? 2 : 0);
  // Pauses inside it: the words after one are shown before they are spoken.
  for (let i = 1; i < cue.length; i++) {
    const gap = (cue[i] as CueWord).start - (cue[i - 1] as CueWord).end;
    if (gap >= PAUSE) cost += 2 * gap;
  }
  if (!next) return cost;
  const time = Math.max(0.01, next.start - start);
  if (time < rules.shortest) cost += 4 * (rules.shortest - time);
  const speed = width / time;
  return speed > rules.speed ? cost + 3 * (speed / rules.speed - 1) : cost;
}

/** Whether the words may be one cue. */
function fits(cue: readonly CueWord[], rules: SubtitleRules, labelWidth: number): boolean {
  const [first, last] = [cue[0] as CueWord, cue.at(-1) as CueWord];
  if (last.end - first.start > rules.longest) return false;
  for (let i = 1; i < cue.length; i++)
    if ((cue[i] as CueWord).start - (cue[i - 1] as CueWord).end > LONGEST_GAP) return false;
  return fewestLines(cue, rules.lineWidth, labelWidth) <= rules.lineCount;
}

/** How many lines the words need if each is as full as possible. */
function fewestLines(words: readonly CueWord[], lineWidth: number, labelWidth: number): number {
  let lines = 1;
  let column = labelWidth;
  let begun = false;
  for (const { width, spaced } of words) {
    const needed = width + (spaced && begun ? 1 : 0);
    if (begun && column + needed > lineWidth) {
      lines++;
      column = width;
    } else column += needed;
    begun = true;
  }
  return lines;
}

function widthOfLine(words: readonly CueWord[]): number {
  return words.reduce((sum, { width, spaced }, i) => sum + width + (spaced && i > 0 ? 1 : 0), 0);
}

/** The lines of a cue: as few as possible, broken at good places, of similar length. */
export function splitLines(words: readonly CueWord[], rules: SubtitleRules, labelWidth = 0): CueWord[][] {
  const count = fewestLines(words, rules.lineWidth, labelWidth);
  if (count === 1) return [[...words]];
  const even = (widthOfLine(words) + labelWidth) / count;
  // best[line][end]: the cheapest way to put the first `end` words into so many lines.
  let best = new Map<number, { cost: number; lines: CueWord[][] }>([[0, { cost: 0, lines: [] }]]);
  for (let line = 0; line < count; line++) {
    const following: typeof best = new Map();
    for (const [from, { cost, lines }] of best) {
      for (let end = from + 1; end <= words.length; end++) {
        const part = words.slice(from, end);
        const width = widthOfLine(part) + (line === 0 ? labelWidth : 0);
        if (width > rules.lineWidth && end > from + 1) break;
        const next = words[end];
        const uneven = ((width - even) / even) ** 2;
        const total = cost + 4 * uneven + (next ? breakCost(words[end - 1] as CueWord, next) : 0);
        if (total < (following.get(end)?.cost ?? Number.POSITIVE_INFINITY))
          following.set(end, { cost: total, lines: [...lines, part] });
      }
    }
    best = following;
  }
  return best.get(words.length)?.lines ?? [[...words]];
}
