/**
 * A language model from text: modified Kneser-Ney over a model's own tokens, pruned to a size. Counting and estimating are native
 * (native/lm); this file reads the text and splits it into tokens.
 */
import { throwIfAborted } from '../abort.js';
import type { NativeLmBuilder } from '../engine/addon.js';
import { loadAddon } from '../engine/load-addon.js';
import { ArgumentError } from '../errors.js';
import { vocabularyHash } from '../model/language-model.js';
import { expected, integer, known, optionalSignal } from '../options.js';
import { modelVocabulary } from './model-vocabulary.js';
import { nameOf, type TextSource, wordsOf } from './text.js';
import { checkTarget, type LanguageModelSummary, writeLanguageModel } from './write-model.js';

/** Options of {@link buildLanguageModel}. */
export interface BuildLanguageModelOptions {
  /**
   * The speech model whose tokens are counted, as `loadModel` takes it. The language model fits every model with the same vocabulary.
   * @defaultValue as in `loadModel`
   */
  model?: string | undefined;
  /**
   * Tokens of the longest sequences that are counted, 1 to 6.
   * @defaultValue 4
   */
  order?: number | undefined;
  /**
   * Largest size of the file in bytes, at least 1,000: the least useful sequences are left out.
   * @defaultValue 3,000,000
   */
  size?: number | undefined;
  /**
   * The folder for repositories of the hub.
   * @defaultValue Hugging Face's own cache
   */
  cacheDir?: string | undefined;
  /** Cancels it; no file is written. */
  signal?: AbortSignal | undefined;
  /** Called as the text is read. */
  onProgress?: ((progress: { words: number }) => void) | undefined;
}

/** What {@link buildLanguageModel} wrote, and what it read. */
export interface BuiltLanguageModel extends LanguageModelSummary {
  /** Words that were counted. */
  words: number;
  /** Words that the model's pieces cannot spell, with digits for example; they were left out. */
  skipped: number;
}

/** Between two texts, and where a word was left out: nothing is counted across it. */
const BREAK = -1;

/**
 * Makes a language model of texts and writes it to `target`. The texts are plain UTF-8, written as the speech model writes: with its case
 * and punctuation, numbers in words. Line breaks mean nothing.
 *
 * A million words take about 3 s of CPU time and 300 MB of memory, 13 million 22 s and 1.1 GB (order 4): memory grows with the different
 * sequences.
 *
 * @param texts paths, or streams of bytes.
 * @returns the words that were read, and the file's size.
 * @throws {@link ArgumentError} for text that cannot be read, is not UTF-8, or has no words, and for invalid options; {@link ModelError} as
 * `loadModel`; {@link WriteError}; {@link AbortedError}. All as rejections.
 *
 * @example
 * ```js
 * import { writeFile } from 'node:fs/promises';
 * import { buildLanguageModel, transcribe } from 'parakeet-stream';
 *
 * await writeFile('minutes.txt', 'The quarterly figures were discussed. The figures are better than expected.');
 * const { words } = await buildLanguageModel(['minutes.txt'], 'minutes.lm', { order: 3 });
 * const { text } = await transcribe('talk.flac', { decoding: { type: 'beam', lm: 'minutes.lm', lmWeight: 0.2 } });
 * console.log(words, text);
 * ```
 */
export async function buildLanguageModel(
  texts: readonly TextSource[],
  target: string | URL,
  options: BuildLanguageModelOptions = {},
): Promise<BuiltLanguageModel> {
  known('buildLanguageModel', options, ['model', 'order', 'size', 'cacheDir', 'signal', 'onProgress']);
  if (!Array.isArray(texts) || texts.length === 0) throw expected('a list of texts', 'texts', texts);
  const name = checkTarget(target);
  const order = integer('order', options.order ?? 4, 1, 6);
  const size = integer('size', options.size ?? 3_000_000, 1000);
  const signal = optionalSignal('signal', options.signal);
  const { pieces, tokenizer } = await modelVocabulary(options.model, { cacheDir: options.cacheDir, signal });
  const builder = loadAddon().createLmBuilder(pieces.length, order);
  try {
    const counts = { words: 0, skipped: 0 };
    for (const text of texts) {
      for await (const words of wordsOf(text)) {
        throwIfAborted(signal);
        const tokens = words.flatMap((word) => {
          const own = tokenizer.word(word);
          if (own !== undefined) return own;
          counts.skipped++;
          return BREAK;
        });
        counts.words += words.length;
        await builder.addText(Int32Array.from(tokens));
        options.onProgress?.({ words: counts.words });
      }
      await builder.addText(Int32Array.of(BREAK));
    }
    if (counts.words === counts.skipped)
      throw new ArgumentError(
        `Expected text with words that the model's vocabulary can spell but found ${counts.words} words in ` +
          `${texts.map(nameOf).join(', ')}, and none of them can be`,
      );
    const file = await estimate(builder, size, pieces);
    throwIfAborted(signal);
    return { ...counts, ...(await writeLanguageModel(name, file)) };
  } finally {
    await builder.close();
  }
}

/** A transcript begins as text does after a full stop, if the vocabulary has one. */
function estimate(builder: NativeLmBuilder, size: number, pieces: readonly string[]) {
  return builder.estimate(size, pieces.indexOf('.'), vocabularyHash(pieces));
}
