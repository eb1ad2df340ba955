/**
 * Where the words of one model go on after those of another: an alignment of two transcripts of the same sound, by words and times. It knows
 * nothing of tokens or of streams.
 */

/** A word as it is compared. */
export interface TimedWord {
  /** Lower case, without punctuation: see {@link plainWord}. */
  plain: string;
  /** Seconds. */
  start: number;
}

/** Result of {@link alignWords}. */
export interface WordAlignment {
  /** How many of the draft's words are covered by the final ones; the rest goes on after them. */
  covered: number;
  /** For each final word, the index of the draft's word that it replaces; −1 if there is none. */
  partners: number[];
}

/** Seconds by which two models may place the same word apart: cache-aware models emit words later. */
export const WORD_JITTER = 0.48;

/** Costs of an alignment. Those of time are per second. */
const COST = {
  /** A word that only one of the two has. */
  alone: 0.7,
  /** Two different words at one time: less than a word alone, so that a misheard word is not shown beside the right one. */
  other: 0.3,
  /** A word that is not complete yet and the whole word. */
  partial: 0.1,
  /** The same word further apart than the jitter. */
  apart: 1,
  /** A word on the wrong side of what is final: at the jitter it is as bad as a word alone. */
  misplaced: 0.7 / WORD_JITTER,
} as const;

/** Costs that differ by less are the same: sums of the same costs in another order differ in their last bits. */
const SAME = 1e-9;

/** A word's letters and digits in lower case: models differ in punctuation and in capitals. */
export function plainWord(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]/gu, '');
}

/**
 * Aligns the last final words with the draft's words since the same moment, so that each final word replaces at most one word of the draft.
 * Of several alignments that are as good, the one that pairs the earlier final words: the draft is then behind, and says nothing of the last.
 * Where both heard the same words and place each of them less than {@link WORD_JITTER} apart, exactly the final ones are covered.
 *
 * @param progress Seconds before which everything is final.
 */
export function alignWords(
  finals: readonly TimedWord[],
  drafts: readonly TimedWord[],
  progress: number,
): WordAlignment {
  const width = drafts.length + 1;
  const costs = costsOf(finals, drafts, progress);
  const covered = cheapestEnd(costs.slice(finals.length * width), drafts, progress);
  const partners = finals.map(() => -1);
  for (let f = finals.length, d = covered; f > 0 || d > 0; ) {
    const most = (costs[f * width + d] as number) + SAME;
    if (f > 0 && (costs[(f - 1) * width + d] as number) + COST.alone < most) f--;
    else if (d > 0 && (costs[f * width + d - 1] as number) + dropped(drafts[d - 1], progress) < most) d--;
    else partners[--f] = --d;
  }
  return { covered, partners };
}

/** The costs of the best alignments of the first `f` final words with the first `d` of the draft, row by row. */
function costsOf(finals: readonly TimedWord[], drafts: readonly TimedWord[], progress: number): Float64Array {
  const width = drafts.length + 1;
  const costs = new Float64Array((finals.length + 1) * width).fill(Number.POSITIVE_INFINITY);
  costs[0] = 0;
  const offer = (at: number, cost: number) => {
    costs[at] = Math.min(costs[at] as number, cost);
  };
  for (let f = 0; f <= finals.length; f++) {
    for (let d = 0; d <= drafts.length; d++) {
      const at = f * width + d;
      if (f > 0) offer(at, (costs[at - width] as number) + COST.alone);
      if (d > 0) offer(at, (costs[at - 1] as number) + dropped(drafts[d - 1], progress));
      if (f > 0 && d > 0) {
        const last = f === finals.length || d === drafts.length;
        const pair = paired(finals[f - 1] as TimedWord, drafts[d - 1] as TimedWord, last);
        offer(at, (costs[at - width - 1] as number) + pair);
      }
    }
  }
  return costs;
}

/** How many words of the draft are covered at the least cost, given the costs for each number of them. */
function cheapestEnd(costs: Float64Array, drafts: readonly TimedWord[], progress: number): number {
  let best = drafts.length;
  let least = costs[best] as number;
  // From the end, so that the words that go on are added one by one.
  for (let d = drafts.length - 1, tail = 0; d >= 0; d--) {
    tail += COST.misplaced * Math.max(0, progress - (drafts[d] as TimedWord).start);
    const cost = (costs[d] as number) + tail;
    if (cost < least - SAME) [best, least] = [d, cost];
  }
  return best;
}

/** The cost of a word of the draft that the accurate model has not heard. */
function dropped(word: TimedWord | undefined, progress: number): number {
  return COST.alone + COST.misplaced * Math.max(0, (word?.start ?? 0) - progress);
}

/** `last`: of the final words or of the draft's, so that it may still grow. */
function paired(final: TimedWord, draft: TimedWord, last: boolean): number {
  const apart = Math.abs(final.start - draft.start);
  const far = COST.apart * Math.max(0, apart - WORD_JITTER);
  if (final.plain === draft.plain) return far;
  const partial = final.plain.startsWith(draft.plain) || draft.plain.startsWith(final.plain);
  return last && partial ? COST.partial + far : COST.other + COST.apart * apart;
}
