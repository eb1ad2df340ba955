/**
 * Word error rate: how many words must be substituted, deleted or inserted to turn the transcript into the reference. Only the measure;
 * callers provide the transcripts.
 */

/** Words for the plain rate: lower case, without punctuation, hyphens read as spaces. */
export function plainWords(text: string): string[] {
  return split(
    text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[’‘]/g, "'")
      .replace(/[-‐-―]/g, ' ')
      .replace(/[^\p{Letter}\p{Mark}\p{Number}'\s]/gu, '')
      // An apostrophe counts inside a word only: rock'n'roll, but not 'tis's quotation mark.
      .replace(/(?<![\p{Letter}\p{Number}])'+|'+(?![\p{Letter}\p{Number}])/gu, ''),
  );
}

/** Words for the strict rate: unchanged, case and punctuation included. */
export function strictWords(text: string): string[] {
  return split(text);
}

function split(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The numbers of substituted, deleted and inserted words. */
export interface EditCounts {
  substitutions: number;
  deletions: number;
  insertions: number;
}

/** The fewest edits that turn one list into the other; among equally short ways, the one with most substitutions. */
export function editCounts<T>(said: readonly T[], heard: readonly T[]): EditCounts {
  const start: EditCounts = { substitutions: 0, deletions: 0, insertions: 0 };
  let row = heard.reduce((cells) => [...cells, more(cells.at(-1) as EditCounts, 'insertions')], [start]);
  for (const word of said) {
    const next = [more(row[0] as EditCounts, 'deletions')];
    heard.forEach((other, j) => {
      const diagonal = row[j] as EditCounts;
      const ways = [
        word === other ? diagonal : more(diagonal, 'substitutions'),
        more(row[j + 1] as EditCounts, 'deletions'),
        more(next[j] as EditCounts, 'insertions'),
      ];
      next.push(ways.reduce((best, way) => (total(way) < total(best) ? way : best)));
    });
    row = next;
  }
  return row[heard.length] as EditCounts;
}

/** For each word heard whether it is the one that was said there, in a shortest way of edits from the one list to the other. */
export function rightWords(said: readonly string[], heard: readonly string[]): boolean[] {
  const width = heard.length + 1;
  const costs = new Int32Array((said.length + 1) * width);
  const costOf = (i: number, j: number) => costs[i * width + j] as number;
  const same = (i: number, j: number) => said[i - 1] === heard[j - 1];
  for (let i = 0; i <= said.length; i++) {
    for (let j = 0; j <= heard.length; j++) {
      if (i === 0 || j === 0) costs[i * width + j] = i + j;
      else
        costs[i * width + j] = Math.min(
          costOf(i - 1, j - 1) + (same(i, j) ? 0 : 1),
          costOf(i - 1, j) + 1,
          costOf(i, j - 1) + 1,
        );
    }
  }
  const right = heard.map(() => false);
  for (let i = said.length, j = heard.length; i > 0 && j > 0; ) {
    if (costOf(i, j) === costOf(i - 1, j - 1) + (same(i, j) ? 0 : 1)) {
      right[j - 1] = same(i, j);
      i--;
      j--;
    } else if (costOf(i, j) === costOf(i - 1, j) + 1) i--;
    else j--;
  }
  return right;
}

/** The least number of substitutions, deletions and insertions between two lists. */
export function editDistance<T>(said: readonly T[], heard: readonly T[]): number {
  return total(editCounts(said, heard));
}

const total = ({ substitutions, deletions, insertions }: EditCounts): number =>
  substitutions + deletions + insertions;
const more = (counts: EditCounts, kind: keyof EditCounts): EditCounts => ({
  ...counts,
  [kind]: counts[kind] + 1,
});

/**
 * Word error rate over several transcripts, in percent of all words said.
 *
 * @returns `wer` ignores case and punctuation, `strict` does not; `words` is the number of words said. Rounded to a hundredth of a percent;
 * 0 for no words.
 */
export function wordErrorRate(pairs: readonly { said: string; heard: string }[]): {
  wer: number;
  strict: number;
  words: number;
} {
  const measure = (words: (text: string) => string[]) => {
    let errors = 0;
    let total = 0;
    for (const { said, heard } of pairs) {
      const reference = words(said);
      errors += editDistance(reference, words(heard));
      total += reference.length;
    }
    return { rate: total === 0 ? 0 : Math.round((1e4 * errors) / total) / 100, total };
  };
  const plain = measure(plainWords);
  return { wer: plain.rate, strict: measure(strictWords).rate, words: plain.total };
}
