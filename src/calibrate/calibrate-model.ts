/** Calibrates a model: transcribes recordings whose words are known, fits, and writes `confidence.json` into its folder. */
import { rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ConfidenceMeasure, NativeHead } from '../engine/addon.js';
import { type LoadModelOptions, loadModel } from '../load-model.js';
import { type Calibration, MEASURES } from '../model/confidence.js';
import { type DecodingOptions, headsOf } from '../model/decoding.js';
import type { Model } from '../model.js';
import { expected, known, oneOf, optionalSignal, received } from '../options.js';
import { geometricMean } from '../text/confidence.js';
import { calibrationError, fitCalibration, type MeasuredWord, wordProbability } from './fit.js';
import { measuredWords } from './measured-words.js';
import { type Reference, readReferences } from './references.js';

/** Options of {@link calibrateModel}. */
export interface CalibrateModelOptions extends Pick<LoadModelOptions, 'dtype' | 'threads' | 'signal'> {
  /**
   * Recordings with what is said in them, at least 100 words, better some thousands, of speech like that to be transcribed: a folder of sound
   * files, each beside a text file of the same name; a manifest of NeMo, one JSON object a line with `audio_filepath` and `text`; or a list.
   */
  references: string | readonly Reference[];
  /**
   * The measure that probabilities are made of.
   * @defaultValue `'entropy'`
   */
  measure?: ConfidenceMeasure | undefined;
  /** Called after each recording. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** The calibration of one head. */
export interface HeadCalibration extends Calibration {
  /** Words heard, and the share of them that is right. */
  words: number;
  right: number;
  /**
   * Expected calibration error, 0 to 1: of the measure as it is, and calibrated, by the recordings that were not used (each half by the other).
   */
  error: { measured: number; calibrated: number };
}

/** The result of {@link calibrateModel}. */
export interface CalibrationReport {
  /** The file that was written. */
  file: string;
  heads: Partial<Record<'tdt' | 'rnnt' | 'ctc', HeadCalibration>>;
}

const LEAST_WORDS = 100;

/**
 * Makes the confidence of a model a probability: writes `confidence.json` into its folder, which `loadModel` reads. Each head is measured greedily,
 * and with the language model in the folder if there is one. For languages that put spaces between words.
 *
 * @param folder A model's folder; a repository or an archive becomes one with `convertModel`.
 * @throws {@link ArgumentError} for invalid options, for references without a recording, or of too few words. @throws what `loadModel` and
 * `model.transcribe` throw. All as rejections.
 *
 * @example
 * ```js no-run
 * import { calibrateModel } from 'parakeet-stream';
 *
 * const { heads } = await calibrateModel('my-model', { references: 'recordings' });
 * console.log(heads.tdt?.error);
 * ```
 */
export async function calibrateModel(
  folder: string,
  options: CalibrateModelOptions,
): Promise<CalibrationReport> {
  known('calibrateModel', options, ['references', 'measure', 'dtype', 'threads', 'signal', 'onProgress']);
  const measure = oneOf('measure', options.measure ?? 'entropy', MEASURES);
  const signal = optionalSignal('signal', options.signal);
  const there = typeof folder === 'string' ? await stat(folder).catch(() => undefined) : undefined;
  if (!there?.isDirectory()) throw expected("a model's folder", 'folder', folder, 'See convertModel.');
  const references =
    typeof options.references === 'string' ? await readReferences(options.references) : options.references;
  const model = await loadModel(folder, { dtype: options.dtype, threads: options.threads, signal });
  try {
    const heads = headsOf(model.info.architecture);
    const words = await hear(model, references, { measure, heads, signal, onProgress: options.onProgress });
    const found = heads.map((head) => [head, calibrated(words.get(head) ?? [], measure)] as const);
    const file = path.join(folder, 'confidence.json');
    const stored = found.map(([head, { scale, offset }]) => [head, { measure, scale, offset }]);
    const made = `${references.length} recordings`;
    await writeFile(
      `${file}.part`,
      `${JSON.stringify({ made, heads: Object.fromEntries(stored) }, null, 1)}\n`,
    );
    await rename(`${file}.part`, file);
    return { file, heads: Object.fromEntries(found) };
  } finally {
    await model.close();
  }
}

/** The words of each head, by recording. */
async function hear(
  model: Model,
  references: readonly Reference[],
  {
    measure,
    heads,
    signal,
    onProgress,
  }: {
    measure: ConfidenceMeasure;
    heads: readonly NativeHead[];
    signal: AbortSignal | undefined;
    onProgress: CalibrateModelOptions['onProgress'];
  },
): Promise<Map<NativeHead, MeasuredWord[][]>> {
  const found = new Map(heads.map((head) => [head, [] as MeasuredWord[][]]));
  const ways: DecodingOptions[] = [
    { type: 'greedy', lm: false },
    ...(model.info.languageModel === undefined ? [] : [{ type: 'beam', lm: true } as const]),
  ];
  for (const [i, { audio, text }] of references.entries()) {
    for (const head of heads) {
      const own: MeasuredWord[] = [];
      for (const way of ways) {
        const { tokens } = await model.transcribe(audio, {
          decoding: { ...way, head, confidence: measure },
          signal,
        });
        own.push(...measuredWords(tokens, text));
      }
      found.get(head)?.push(own);
    }
    onProgress?.({ done: i + 1, total: references.length });
  }
  return found;
}

function calibrated(recordings: readonly MeasuredWord[][], measure: ConfidenceMeasure): HeadCalibration {
  const words = recordings.flat();
  if (words.length < LEAST_WORDS)
    throw received(
      `recordings of at least ${LEAST_WORDS} words`,
      'references',
      `some of ${words.length} words`,
    );
  const halves = [0, 1].map((half) => recordings.filter((_, i) => i % 2 === half).flat());
  const [even = [], odd = []] = halves;
  const crossed = [
    [even, odd],
    [odd, even],
  ].flatMap(([used = [], tested = []]) => {
    const fitted = fitCalibration(used);
    return tested.map((word) => ({ probability: wordProbability(fitted, word), right: word.right }));
  });
  const measured = words.map(({ values, right }) => ({
    probability: geometricMean(values.map((confidence) => ({ confidence }))),
    right,
  }));
  const fitted = fitCalibration(words);
  return {
    measure,
    scale: rounded(fitted.scale),
    offset: rounded(fitted.offset),
    words: words.length,
    right: rounded(words.filter(({ right }) => right).length / words.length),
    error: { measured: rounded(calibrationError(measured)), calibrated: rounded(calibrationError(crossed)) },
  };
}

const rounded = (value: number): number => Math.round(1e4 * value) / 1e4;
