/**
 * Whether the engine computes the correct results on this machine, with this model: the library's side of `parakeet verify`. It does not
 * say how good a model is; bench/wer.mjs measures that on more than half a minute of speech.
 */
import path from 'node:path';
import { bundledModel, namedModel } from '../bundled-model.js';
import type { NativeDType } from '../engine/addon.js';
import { type LoadModelOptions, loadModel } from '../load-model.js';
import { openModel } from '../model/open-model.js';
import { isQuantized } from '../model/stored-types.js';
import type { Model } from '../model.js';
import { expected } from '../options.js';
import type { VerifyCheck } from './check.js';
import {
  againstGoldens,
  type Heard,
  silenceIsSilent,
  streamIsClose,
  streamIsExact,
  typesAgree,
} from './checks.js';
import { likeness, readSuite, type Suite, samplesOf } from './suite.js';
import { wordErrorRate } from './word-error-rate.js';

/** Options of {@link verifyModel}: those of `loadModel`. */
export interface VerifyOptions extends LoadModelOptions {
  /** Called before each part of the work. */
  onStep?: ((step: { done: number; total: number; what: string }) => void) | undefined;
}

/** A recording that {@link verifyModel} has transcribed. */
export interface VerifiedRecording {
  file: string;
  seconds: number;
  said: string;
  heard: string;
  /** Word error rate in percent, ignoring case and punctuation. */
  wer: number;
  /** Seconds of work per second of sound. */
  realTimeFactor: number;
}

/** The result of {@link verifyModel}. */
export interface VerifyReport {
  /** Every check passed. */
  passed: boolean;
  model: string;
  /** The requested type; the comparisons with a reference are always in float32. */
  dtype: NativeDType;
  /** Whether the model was compared with the reference's arrays and tokens, because it is the bundled one or a copy of it. */
  goldens: boolean;
  checks: VerifyCheck[];
  recordings: VerifiedRecording[];
  /** Over all recordings. They are English: a sound model of another language may have 100. */
  wer: number;
  realTimeFactor: number;
}

/** The results with the requested type. */
interface Asked {
  dtype: NativeDType;
  goldens: boolean;
  heard: Heard;
  recordings: VerifiedRecording[];
  samples: Float32Array[];
}

/**
 * Verifies a model (named as for `loadModel`) on this machine, with recordings that come with the package: in float32 and in the requested
 * type, one after the other. The bundled model, or a copy of it, is compared with a reference implementation that shares no code with the
 * engine; a copy that was converted to bytes is not, since its weights differ. For any model: its types agree, a stream gives the same as
 * the whole recording, and silence has no words. Takes some seconds with the bundled model, a few minutes with a large one.
 *
 * A check that fails is in the report, not an error.
 * @throws what `loadModel` throws, and {@link AbortedError} when `signal` is aborted. All as rejections.
 *
 * @example
 * ```js
 * import { verifyModel } from 'parakeet-stream';
 *
 * const { passed, checks, wer } = await verifyModel();
 * for (const check of checks) if (!check.passed) console.log(check.what, check.value, check.limit);
 * console.log(passed, wer);
 * ```
 */
export async function verifyModel(name?: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  if (typeof options !== 'object' || options === null)
    throw expected('an object', 'the options of verifyModel', options);
  // loadModel checks the rest.
  const { onStep, ...load } = options;
  if (onStep !== undefined && typeof onStep !== 'function') throw expected('a function', 'onStep', onStep);
  const { signal } = load;
  const suite = await readSuite();
  const checks: VerifyCheck[] = [];
  const steps = counted(['silence', 'recordings', 'streams', 'float32'], onStep);

  const asked = await withModel(name, load, async (model): Promise<Asked> => {
    const { dtype } = model.info;
    const goldens = likeness(model.info) === suite.likeness && !(await keptInBytes(name, load));
    const samples = await allSamples(suite, model);
    steps('silence');
    const silence = await silenceIsSilent(model, signal);
    steps('recordings');
    const { recordings, heard } = await transcribeAll(model, suite, samples, signal);
    steps('streams');
    const close = await streamIsClose(model, samples, heard.texts, signal);
    checks.push(...silence, close);
    if (dtype === 'float32') {
      steps('float32');
      checks.unshift(...(await exactly(model, suite, samples, goldens, signal)));
    }
    return { dtype, goldens, heard, recordings, samples };
  });

  if (asked.dtype !== 'float32') {
    steps('float32');
    await withModel(name, { ...load, dtype: 'float32' }, async (model) => {
      const { samples } = asked;
      const { heard } = await transcribeAll(model, suite, samples, signal);
      const exact = await exactly(model, suite, samples, asked.goldens, signal);
      checks.unshift(...exact, ...typesAgree(asked.heard, heard));
    });
  }
  const { dtype, goldens, recordings } = asked;
  const { wer } = wordErrorRate(recordings);
  const seconds = recordings.reduce((sum, recording) => sum + recording.seconds, 0);
  const work = recordings.reduce(
    (sum, { seconds: length, realTimeFactor }) => sum + length * realTimeFactor,
    0,
  );
  return {
    passed: checks.every(({ passed }) => passed),
    model: namedModel(name) === bundledModel() ? path.basename(bundledModel()) : namedModel(name),
    dtype,
    goldens,
    checks,
    recordings,
    wer,
    realTimeFactor: work / seconds,
  };
}

/** Weights that were converted to bytes differ from the reference's, whatever type they are computed in. */
async function keptInBytes(name: string | undefined, options: LoadModelOptions): Promise<boolean> {
  const files = await openModel(namedModel(name), options);
  try {
    return files.tensors.some(isQuantized);
  } finally {
    await files.dispose();
  }
}

/** The checks in float32, where only the order of sums may differ. */
async function exactly(
  model: Model,
  suite: Suite,
  samples: readonly Float32Array[],
  goldens: boolean,
  signal: AbortSignal | undefined,
): Promise<VerifyCheck[]> {
  const longest = samples.reduce((a, b) => (b.length > a.length ? b : a));
  const stream = await streamIsExact(model, longest, signal);
  return goldens ? [...(await againstGoldens(model, samples, suite.goldens, signal)), stream] : [stream];
}

async function transcribeAll(
  model: Model,
  suite: Suite,
  samples: readonly Float32Array[],
  signal: AbortSignal | undefined,
): Promise<{ recordings: VerifiedRecording[]; heard: Heard }> {
  const recordings: VerifiedRecording[] = [];
  for (const { name, file, seconds, said } of suite.recordings) {
    const start = performance.now();
    const { text } = await model.transcribe(file, { signal });
    const realTimeFactor = (performance.now() - start) / 1000 / seconds;
    const { wer } = wordErrorRate([{ said, heard: text }]);
    recordings.push({ file: name, seconds, said, heard: text, wer, realTimeFactor });
  }
  const mel = await model.computeLogMel(samples[0] as Float32Array);
  const { data: frames } = await model.encodeLogMel(mel, { signal });
  return { recordings, heard: { frames, texts: recordings.map(({ heard }) => heard) } };
}

function allSamples({ recordings }: Suite, { info }: Model): Promise<Float32Array[]> {
  return Promise.all(recordings.map((recording) => samplesOf(recording, info.sampleRate)));
}

/** A large model is loaded in one type at a time. */
async function withModel<T>(
  name: string | undefined,
  options: LoadModelOptions,
  task: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await loadModel(name, options);
  try {
    return await task(model);
  } finally {
    await model.close();
  }
}

/** Reports the parts in their order. */
function counted(parts: readonly string[], onStep: VerifyOptions['onStep']): (what: string) => void {
  return (what) => onStep?.({ done: parts.indexOf(what), total: parts.length, what });
}
