/**
 * Language models beside the acoustic one: their options, opening their files once for all streams, and what the engine takes. Making
 * them is src/lm.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import type { NativeFusion, NativeHead, NativeLanguageModel } from '../engine/addon.js';
import { loadAddon } from '../engine/load-addon.js';
import { ModelError } from '../errors.js';
import { expected, finite, known } from '../options.js';

/** One of several language models. */
export interface LanguageModelShare {
  /** A file of `buildLanguageModel` or `convertLanguageModel`. */
  path: string;
  /**
   * How much it counts beside the others, above 0: probabilities are interpolated in this proportion.
   * @defaultValue 1
   */
  weight?: number | undefined;
}

/** The part of {@link DecodingOptions} about language models. */
export interface LanguageModelOptions {
  /**
   * A language model of the model's own tokens: a file of `buildLanguageModel`, or several, which are interpolated; at most 4. `true`: the
   * one in the model's folder; the bundled model has one. `false`: none.
   * @defaultValue `false`; for when it is `true`, see `type`
   */
  lm?: string | readonly LanguageModelShare[] | boolean | undefined;
  /**
   * With `lm`: how much its logarithm of a token's probability counts against the acoustic model's, 0 to 10.
   * @defaultValue 0.4 for a beam (CTC: 0.5), 0.1 for greedy decoding and for `search: 'parakeet-mlx'`
   */
  lmWeight?: number | undefined;
  /**
   * With `lm` and a beam: added for each token, since a language model prefers short texts; -10 to 10.
   * @defaultValue 0.5 (CTC: 1); 0 for `search: 'parakeet-mlx'`
   */
  tokenBonus?: number | undefined;
  /**
   * With `lm` and the beam of a transducer: how much the predictor's own logarithm of a token's probability is taken off, 0 to 10. What it
   * has learnt of language then does not count twice.
   * @defaultValue 0.1; 0 for `search: 'parakeet-mlx'`
   */
  internalLmWeight?: number | undefined;
}

export const LM_OPTIONS = ['lm', 'lmWeight', 'tokenBonus', 'internalLmWeight'] as const;
const MOST_MODELS = 4;

/** Checks what needs no model. @throws {@link ArgumentError} */
export function checkLanguageModel(options: LanguageModelOptions): void {
  const { lm } = options;
  if (lm !== undefined && typeof lm !== 'boolean' && typeof lm !== 'string') {
    if (!Array.isArray(lm))
      throw expected('a path, a list of { path, weight }, true or false', 'decoding.lm', lm);
    if (lm.length === 0 || lm.length > MOST_MODELS)
      throw expected(`1 to ${MOST_MODELS} language models`, 'decoding.lm', lm);
    lm.forEach((one: LanguageModelShare, i) => {
      known(`decoding.lm[${i}]`, one, ['path', 'weight']);
      if (typeof one.path !== 'string') throw expected('a path', `decoding.lm[${i}].path`, one.path);
      finite(`decoding.lm[${i}].weight`, one.weight ?? 1, 1e-6, 1e6);
    });
  }
  finite('decoding.lmWeight', options.lmWeight ?? 0, 0, 10);
  finite('decoding.tokenBonus', options.tokenBonus ?? 0, -10, 10);
  finite('decoding.internalLmWeight', options.internalLmWeight ?? 0, 0, 10);
  const stray = LM_OPTIONS.slice(1).find((key) => options[key] !== undefined);
  if ((lm === undefined || lm === false) && stray !== undefined)
    throw expected('decoding.lm beside it', `decoding.${stray}`, options[stray]);
}

/** How a search weighs language models by default. */
type Weights = Required<Pick<LanguageModelOptions, 'lmWeight' | 'tokenBonus' | 'internalLmWeight'>>;

/** Measured on an hour of recordings (docs/decoding.md). */
const WEIGHTS = {
  frame: { lmWeight: 0.4, tokenBonus: 0.5, internalLmWeight: 0.1 },
  ctc: { lmWeight: 0.5, tokenBonus: 1, internalLmWeight: 0 },
  'parakeet-mlx': { lmWeight: 0.1, tokenBonus: 0, internalLmWeight: 0 },
  greedy: { lmWeight: 0.1, tokenBonus: 0, internalLmWeight: 0 },
} as const satisfies Record<string, Weights>;

/**
 * The engine's language models.
 *
 * @param own the language model in the model's folder.
 * @throws {@link ModelError} `ERR_PARAKEET_INVALID_LANGUAGE_MODEL` for a file that is none, or is of another vocabulary;
 * `ERR_PARAKEET_MODEL_NOT_FOUND` for one that is not there.
 */
export function resolveLanguageModel(
  vocabulary: readonly string[],
  own: string | undefined,
  options: LanguageModelOptions,
  { search, head }: { search: 'greedy' | 'frame' | 'parakeet-mlx'; head: NativeHead },
): NativeFusion | null {
  const { lm } = options;
  if (lm === undefined || lm === false) return null;
  if (lm === true && own === undefined)
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      "Expected a language model in the model's folder for decoding.lm: true but there is none. Name a file of `parakeet lm build`.",
    );
  const shares = typeof lm === 'object' ? lm : [{ path: lm === true ? (own as string) : lm }];
  const sum = shares.reduce((total, { weight }) => total + (weight ?? 1), 0);
  const defaults = WEIGHTS[head === 'ctc' && search !== 'greedy' ? 'ctc' : search];
  return {
    models: shares.map(({ path: file, weight }) => ({
      model: openLanguageModel(file, vocabulary),
      share: (weight ?? 1) / sum,
    })),
    weight: options.lmWeight ?? defaults.lmWeight,
    tokenBonus: options.tokenBonus ?? defaults.tokenBonus,
    internalWeight: head === 'ctc' ? 0 : (options.internalLmWeight ?? defaults.internalLmWeight),
  };
}

const hashes = new WeakMap<readonly string[], Uint8Array>();

/** What identifies a vocabulary in a language model's file: the SHA-256 of its pieces, one a line. */
export function vocabularyHash(vocabulary: readonly string[]): Uint8Array {
  const known = hashes.get(vocabulary);
  if (known) return known;
  const hash = createHash('sha256').update(vocabulary.join('\n')).digest();
  hashes.set(vocabulary, hash);
  return hash;
}

const opened = new Map<string, WeakRef<NativeLanguageModel>>();
/** By their paths, the files that were opened for the vocabulary of a speech model: they stay open as long as that one is loaded. */
const held = new WeakMap<readonly string[], Map<string, NativeLanguageModel>>();

/** Opens a file, or finds it open: streams with one language model share it, also those that come one after the other. */
export function openLanguageModel(file: string, vocabulary: readonly string[]): NativeLanguageModel {
  const hash = vocabularyHash(vocabulary);
  const name = path.resolve(file);
  let key: string;
  try {
    const { size, mtimeMs, ino } = statSync(name);
    key = [name, size, mtimeMs, ino, Buffer.from(hash).toString('hex')].join('\n');
  } catch (cause) {
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected a language model at ${file} but the system refused: ${(cause as Error).message}`,
      { cause },
    );
  }
  for (const [other, model] of opened) if (model.deref() === undefined) opened.delete(other);
  const model = opened.get(key)?.deref() ?? loadAddon().openLanguageModel(name, vocabulary.length, hash);
  opened.set(key, new WeakRef(model));
  const own = held.get(vocabulary) ?? new Map<string, NativeLanguageModel>();
  // In the place of what was in the file before.
  held.set(vocabulary, own.set(name, model));
  return model;
}
