/**
 * Words to a model's pieces, as SentencePiece splits them: by byte-pair encoding, or, where the pieces have scores, into the likeliest
 * ones. The way back is src/model/vocabulary.ts.
 */

/** Words whose pieces are remembered: most text consists of few. */
const MOST_WORDS = 200_000;

/** Splits words into the pieces of a vocabulary. */
export class Tokenizer {
  readonly #ids = new Map<string, number>();
  readonly #words = new Map<string, readonly number[] | undefined>();
  readonly #scores: readonly number[] | undefined;
  readonly #longest: number;

  /**
   * @param vocabulary the pieces; of byte-pair encoding those of earlier merges first, as SentencePiece stores them.
   * @param scores natural logarithms of the pieces' probabilities, of a unigram model.
   */
  constructor(vocabulary: readonly string[], scores?: readonly number[]) {
    vocabulary.forEach((piece, id) => {
      if (!/^<.*>$/.test(piece)) this.#ids.set(piece, id);
    });
    this.#scores = scores;
    this.#longest = vocabulary.reduce((most, piece) => Math.max(most, [...piece].length), 1);
  }

  /** The pieces of one word without spaces; `undefined` when the vocabulary cannot spell it. */
  word(word: string): readonly number[] | undefined {
    const known = this.#words.get(word);
    if (known !== undefined || this.#words.has(word)) return known;
    const letters = [...`▁${word.normalize('NFKC')}`];
    const pieces = this.#scores ? this.#likeliest(letters, this.#scores) : this.#merged(letters);
    if (this.#words.size >= MOST_WORDS) this.#words.clear();
    this.#words.set(word, pieces);
    return pieces;
  }

  /** The pieces of a text, words that cannot be spelled left out. */
  text(text: string): number[] {
    const words = text.split(/\s+/).filter((word) => word !== '');
    return words.flatMap((word) => this.word(word) ?? []);
  }

  /** Byte-pair encoding: of all neighbours, those that were merged first in training are merged first. */
  #merged(letters: string[]): readonly number[] | undefined {
    const parts = [...letters];
    for (;;) {
      let best = -1;
      let rank = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < parts.length; i++) {
        const id = this.#ids.get(`${parts[i]}${parts[i + 1]}`);
        if (id === undefined || id >= rank) continue;
        rank = id;
        best = i;
      }
      if (best < 0) break;
      parts.splice(best, 2, `${parts[best]}${parts[best + 1]}`);
    }
    const ids = parts.map((part) => this.#ids.get(part));
    return ids.every((id) => id !== undefined) ? (ids as number[]) : undefined;
  }

  /** The pieces of the largest sum of scores. */
  #likeliest(letters: string[], scores: readonly number[]): readonly number[] | undefined {
    const best: { score: number; from: number; id: number }[] = [{ score: 0, from: -1, id: -1 }];
    for (let end = 1; end <= letters.length; end++) {
      let piece = '';
      for (let from = end - 1; from >= Math.max(0, end - this.#longest); from--) {
        piece = `${letters[from]}${piece}`;
        const id = this.#ids.get(piece);
        const before = best[from];
        if (id === undefined || before === undefined) continue;
        const score = before.score + (scores[id] ?? 0);
        if (score > (best[end]?.score ?? Number.NEGATIVE_INFINITY)) best[end] = { score, from, id };
      }
    }
    const ids: number[] = [];
    for (let end = letters.length; end > 0; ) {
      const last = best[end];
      if (last === undefined) return undefined;
      ids.unshift(last.id);
      end = last.from;
    }
    return ids;
  }
}
