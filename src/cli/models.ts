/**
 * `parakeet models pull|list|info|rm|convert|calibrate`: the hub models on this machine, conversion to our own format, and calibration.
 */
import { calibrateModel } from '../calibrate/calibrate-model.js';
import type { ConfidenceMeasure } from '../engine/addon.js';
import { cachedModels, removeCachedModel } from '../hub/cached-models.js';
import { fetchFromHub, type HubProgress, isRepositoryId } from '../hub/hub.js';
import { loadModel } from '../load-model.js';
import { type ConvertModelOptions, convertModel } from '../model/convert.js';
import { streamBytes } from '../model/stream-bytes.js';
import { frameSeconds } from '../model/token-placer.js';
import type { Values } from './cli-option.js';
import { loadOptions, pick } from './library-options.js';
import type { Context } from './program.js';
import { ProgressBar } from './progress.js';
import { UsageError } from './usage-error.js';

/** Options of the hub's functions. */
interface HubValues {
  cacheDir?: string;
  revision?: string;
}
const hubOptions = (values: Values): HubValues => pick<HubValues>(values, ['cacheDir', 'revision']);

export async function pull([name = '']: string[], values: Values, context: Context): Promise<number> {
  if (!isRepositoryId(name)) throw new UsageError(`Expected owner/name but received ${name}`);
  const folder = await shown(context, (work) => fetchFromHub(name, { ...hubOptions(values), ...work }));
  return print(values, context, { name, folder }, `${folder}\n`);
}

export async function list(_args: string[], values: Values, context: Context): Promise<number> {
  const found = await cachedModels(hubOptions(values).cacheDir);
  const rows = found.map(
    (model) => `${model.name}  ${model.revision ?? model.commit.slice(0, 8)}  ${size(model.bytes)}\n`,
  );
  return print(values, context, found, rows.join(''));
}

export async function info([name]: string[], values: Values, context: Context): Promise<number> {
  const { signal } = context.ending;
  const model = await loadModel(name, { ...loadOptions(values), offline: true, signal });
  const { vocabulary, prior, languageModel, usesLanguageModel, calibrations, contexts, prompts, ...rest } =
    model.info;
  const streams = [];
  for (const context of contexts) {
    const seconds = Number(((context[1] + 1) * frameSeconds(model.info)).toFixed(6));
    streams.push({ latency: seconds, context, bytesPerStream: await streamBytes(model, context) });
  }
  await model.close();
  const facts = {
    ...rest,
    vocabulary: vocabulary.length,
    prior: prior !== undefined,
    languageModel: languageModel !== undefined,
    usesLanguageModel: usesLanguageModel === true,
    calibrated: Object.keys(calibrations ?? {}),
    languages: Object.keys(prompts),
    contexts: streams,
  };
  const rows = Object.entries(facts).map(
    ([key, value]) =>
      `${key.padEnd(20)}${Array.isArray(value) ? value.map(shortly).join(', ') : String(value)}\n`,
  );
  return print(values, context, facts, rows.join(''));
}

/** A value of a list: a context by its seconds, its frames, and what a stream costs. */
function shortly(value: unknown): string {
  if (typeof value !== 'object' || value === null || !('bytesPerStream' in value)) return String(value);
  const { latency, context, bytesPerStream } = value as {
    latency: number;
    context: number[];
    bytesPerStream: number;
  };
  return `${latency} s [${context.join(', ')}] ${(bytesPerStream / 1e6).toFixed(1)} MB per stream`;
}

export async function remove([name = '']: string[], values: Values, context: Context): Promise<number> {
  const freed = await removeCachedModel(name, hubOptions(values).cacheDir);
  return print(values, context, { name, freed }, `${size(freed)} freed\n`);
}

export async function convert(
  [name = '', folder = '']: string[],
  values: Values,
  context: Context,
): Promise<number> {
  const dtype = values.dtype as ConvertModelOptions['dtype'] | 'auto';
  const options = {
    ...hubOptions(values),
    dtype: dtype === 'auto' ? undefined : dtype,
    packed: values.packed === true,
  };
  const { bytes } = await shown(context, (work) => convertModel(name, folder, { ...options, ...work }));
  return print(values, context, { folder, bytes }, `${folder}  ${size(bytes)}\n`);
}

export async function calibrate([folder = '']: string[], values: Values, context: Context): Promise<number> {
  const { terminal, ending } = context;
  const bar = new ProgressBar(terminal.stderr);
  try {
    const report = await calibrateModel(folder, {
      ...loadOptions(values),
      references: values.references as string,
      measure: values.measure as ConfidenceMeasure,
      signal: ending.signal,
      onProgress: ({ done, total }) => bar.update(done / total, `${done} of ${total} recordings`),
    });
    bar.clear();
    const rows = Object.entries(report.heads).map(
      ([head, { words, right, error }]) =>
        `${head.padEnd(6)}${words} words, ${(100 * right).toFixed(1)} % right; calibration error ${error.measured.toFixed(3)}, ` +
        `calibrated ${error.calibrated.toFixed(3)}\n`,
    );
    return print(values, context, report, `${rows.join('')}${report.file}\n`);
  } finally {
    bar.clear();
  }
}

function print({ json }: Values, { terminal }: Context, value: unknown, text: string): number {
  terminal.stdout.write(json === true ? `${JSON.stringify(value)}\n` : text);
  return 0;
}

/** Runs long work: a bar shows its progress, and Ctrl-C ends it. */
async function shown<T>(
  { terminal, ending }: Context,
  run: (work: { signal: AbortSignal; onProgress: (progress: HubProgress) => void }) => Promise<T>,
): Promise<T> {
  const bar = new ProgressBar(terminal.stderr);
  try {
    return await run({ signal: ending.signal, onProgress: bar.fetched });
  } finally {
    bar.clear();
  }
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
