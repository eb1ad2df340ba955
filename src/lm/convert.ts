/**
 * Token models of other programs to our format: ARPA files whose words are the model's pieces, or characters that stand for them, as NeMo
 * writes for KenLM and NGPU-LM; and NGPU-LM's own archives.
 */
import { fileURLToPath } from 'node:url';
import { throwIfAborted } from '../abort.js';
import type { NativeLmBuilder } from '../engine/addon.js';
import { loadAddon } from '../engine/load-addon.js';
import { ModelError } from '../errors.js';
import { NEMO } from '../hub/layout.js';
import { vocabularyHash } from '../model/language-model.js';
import { known, oneOf, optionalSignal } from '../options.js';
import { type ArpaGrams, readArpa } from './arpa.js';
import { modelVocabulary } from './model-vocabulary.js';
import { readNemoLanguageModel } from './nemo-lm.js';
import { nameOf, type TextSource } from './text.js';
import { checkTarget, type LanguageModelSummary, writeLanguageModel } from './write-model.js';

/** Options of {@link convertLanguageModel}. */
export interface ConvertLanguageModelOptions {
  /**
   * The speech model whose tokens the file is about, as `loadModel` takes it.
   * @defaultValue as in `loadModel`
   */
  model?: string | undefined;
  /**
   * What the file's words are: `'pieces'` of the vocabulary (`▁the`), or one character each, `'nemo'`: that with the number of the token plus
   * 100.
   * @defaultValue `'auto'`: pieces if the first words are, else NeMo's characters
   */
  tokens?: 'auto' | 'pieces' | 'nemo' | undefined;
  /**
   * The folder for repositories of the hub.
   * @defaultValue Hugging Face's own cache
   */
  cacheDir?: string | undefined;
  /** Cancels it; no file is written. */
  signal?: AbortSignal | undefined;
}

/** NeMo's `DEFAULT_TOKEN_OFFSET` (nemo/collections/asr/parts/submodules/ngram_lm/constants.py). */
const NEMO_OFFSET = 100;
/** Of a token without a gram, where the file has no `<unk>`. */
const RARE = Math.log(1e-7);

type Spell = (word: string) => number | undefined;

/**
 * Converts an ARPA file of token n-grams, or an archive of NeMo's NGPU-LM (by its ending `.nemo`), and writes it to `target`. `</s>` and `<unk>` are
 * left out: a stream has no end that could be predicted.
 *
 * @param source the path of an ARPA file, or its bytes; or the path of an archive.
 * @returns the file's size.
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_LANGUAGE_MODEL` for a file that is neither, is cut, is of other tokens, of an order
 * above 6, or of more than 50 million grams; {@link ArgumentError}, {@link WriteError}, {@link AbortedError} as `buildLanguageModel`. All as
 * rejections.
 *
 * @example
 * ```js no-run
 * import { convertLanguageModel } from 'parakeet-stream';
 *
 * const { grams } = await convertLanguageModel('tokens.arpa', 'company.lm', { model: 'mlx-community/parakeet-tdt-0.6b-v3' });
 * console.log(`${grams.length} orders`);
 * ```
 */
export async function convertLanguageModel(
  source: TextSource,
  target: string | URL,
  options: ConvertLanguageModelOptions = {},
): Promise<LanguageModelSummary> {
  known('convertLanguageModel', options, ['model', 'tokens', 'cacheDir', 'signal']);
  const file = checkTarget(target);
  const kind = oneOf('tokens', options.tokens ?? 'auto', ['auto', 'pieces', 'nemo']);
  const signal = optionalSignal('signal', options.signal);
  const { pieces } = await modelVocabulary(options.model, { cacheDir: options.cacheDir, signal });
  const builder = loadAddon().createLmBuilder(pieces.length, 1);
  try {
    const archive = archiveIn(source);
    const unseen =
      archive === undefined
        ? await addArpa(builder, source, { kind, pieces, signal })
        : await addNemo(builder, archive, { pieces, signal });
    return await writeLanguageModel(file, await builder.assemble(unseen, vocabularyHash(pieces)));
  } finally {
    await builder.close();
  }
}

/** The path of NeMo's archive, if the source is one. */
function archiveIn(source: TextSource): string | undefined {
  if (typeof source !== 'string' && !(source instanceof URL)) return undefined;
  const name = source instanceof URL ? fileURLToPath(source) : source;
  return name.endsWith(NEMO) ? name : undefined;
}

interface Reading {
  pieces: readonly string[];
  signal: AbortSignal | undefined;
}

/** @returns ln p of a token that has no gram. */
async function addNemo(builder: NativeLmBuilder, file: string, { pieces, signal }: Reading): Promise<number> {
  const { vocabulary, unseen = RARE, grams } = await readNemoLanguageModel(file);
  if (vocabulary !== pieces.length)
    throw new ModelError(
      'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
      `Expected a language model of the speech model's ${pieces.length} tokens in ${file} but it is one of ${vocabulary}. ` +
        'Name the speech model that it was made for.',
    );
  for (const { length, tokens, values, backoffs } of grams) {
    throwIfAborted(signal);
    const ids = Int32Array.from(tokens, (token) => (token < 0 ? pieces.length : token));
    await builder.addGrams(length, ids, Float32Array.from(values), Float32Array.from(backoffs));
  }
  return unseen;
}

/** @returns ln p of a token that has no gram. */
async function addArpa(
  builder: NativeLmBuilder,
  source: TextSource,
  { kind, pieces, signal }: Reading & { kind: 'auto' | 'pieces' | 'nemo' },
): Promise<number> {
  let spell: Spell | undefined;
  let unseen = RARE;
  for await (const grams of readArpa(source)) {
    throwIfAborted(signal);
    spell ??= speller(kind, pieces, grams);
    unseen = await addAll(builder, source, grams, { spell, start: pieces.length }, unseen);
  }
  return unseen;
}

const SPECIAL = ['<s>', '</s>', '<unk>', '<UNK>'];

function speller(kind: 'auto' | 'pieces' | 'nemo', pieces: readonly string[], first: ArpaGrams): Spell {
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const asPiece: Spell = (word) => ids.get(word);
  const asCharacter: Spell = (word) => {
    const id = (word.codePointAt(0) ?? -1) - NEMO_OFFSET;
    return [...word].length === 1 && id >= 0 && id < pieces.length ? id : undefined;
  };
  if (kind !== 'auto') return kind === 'pieces' ? asPiece : asCharacter;
  const plain = first.words.filter((word) => !SPECIAL.includes(word));
  return plain.every((word) => asPiece(word) !== undefined) ? asPiece : asCharacter;
}

/** Passes on the grams that a stream can meet. @returns ln p of a token that has no gram. */
async function addAll(
  builder: NativeLmBuilder,
  source: TextSource,
  { length, words, values, backoffs }: ArpaGrams,
  { spell, start }: { spell: Spell; start: number },
  unseen: number,
): Promise<number> {
  const tokens: number[] = [];
  const kept: number[] = [];
  let rare = unseen;
  values.forEach((value, i) => {
    const own = words.slice(i * length, (i + 1) * length);
    if (length === 1 && /^<unk>$/i.test(own[0] as string)) rare = value;
    // <s> begins grams; as their only token it has no probability, but a back-off.
    if (own.some((word, place) => SPECIAL.includes(word) && !(word === '<s>' && place === 0))) return;
    for (const word of own) tokens.push(word === '<s>' ? start : (spell(word) ?? unknown(source, word)));
    kept.push(i);
  });
  await builder.addGrams(
    length,
    Int32Array.from(tokens),
    Float32Array.from(kept, (i) => values[i] as number),
    Float32Array.from(kept, (i) => backoffs[i] as number),
  );
  return rare;
}

function unknown(source: TextSource, word: string): never {
  throw new ModelError(
    'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
    `Expected an ARPA file of the model's tokens in ${nameOf(source)} but found the word '${word}', which is none of them. ` +
      'Name the speech model that the file was made for; a model of whole words cannot be used.',
  );
}
