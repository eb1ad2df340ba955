import { isCacheAware } from '../model/cache-aware.js';
import { checkDecoding, type DecodingOptions } from '../model/decoding.js';
import { decodingFor } from '../model/default-decoding.js';
import {
  draftDecoding,
  draftTuning,
  languageBeside,
  loadedDraftModel,
  mustShareRate,
} from '../model/draft-model.js';
import { DEFAULT_SILENCE, type Latency, type SilenceOptions, settleSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import type { StageModel } from '../model/stage-model.js';
import {
  type Normalization,
  resolveStreaming,
  type StreamingOptions,
  streamingOf,
  streamingOptionKeys,
} from '../model/streaming-options.js';
import { expected, finite, known, optionalSignal } from '../options.js';
import { checkSentences, type SentenceOptions } from '../text/sentence-options.js';
import { type LiveModels, LiveTranscript, type LiveUse, type SettledLive } from './live-transcript.js';
import type { SessionOptions } from './model-session.js';
import { ownersOf, readSnapshot, type SnapshotState } from './snapshot.js';

/** Options of `model.live`; durations are seconds. */
export interface LiveOptions {
  /**
   * How long a word waits for what comes after it: a preset, or seconds.
   * @defaultValue `'balanced'`
   */
  latency?: Latency | undefined;
  /**
   * The language that is spoken, for a model that is told it: one of `info.prompts`.
   * @defaultValue `'auto'`: the model finds out
   */
  language?: string | undefined;
  /**
   * How tokens are chosen, and phrases that are boosted.
   * @defaultValue greedy; with the bundled model on a CPU and `latency: 'accurate'`, a beam with its language model
   */
  decoding?: DecodingOptions | undefined;
  /**
   * Where sentences end, besides punctuation.
   * @defaultValue nowhere else
   */
  sentences?: SentenceOptions | undefined;
  /** What happens when nobody speaks. */
  silence?: SilenceOptions | undefined;
  /**
   * Statistics that normalise the log-mel frames.
   * @defaultValue `'running'`
   */
  normalization?: Normalization | undefined;
  /**
   * What happens when the machine is slower than speech: `'keep'` or `'growSteps'`, as in `parakeet`.
   * @defaultValue `'keep'`
   */
  lagPolicy?: 'keep' | 'growSteps' | undefined;
  /**
   * A second, faster model that writes the drafts, loaded and with the same `sampleRate`: see `parakeet`.
   * @defaultValue none: the model writes the drafts too
   */
  draftModel?: StageModel | undefined;
  /**
   * A snapshot to continue from, of a stream with the same models and version. It contains the options: only `signal` and the same
   * `draftModel` may be given besides. A snapshot that does not fit fails the first call with `ERR_PARAKEET_INVALID_SNAPSHOT`, or throws it at once.
   */
  from?: Uint8Array | undefined;
  /** Closes the transcript when it is aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Options of `model.transcribeStream`: those of the stage `encode`, in frames. Without `latency`, `lookahead`, `left` and `contextSize` it
 * is `contextSize: [256, 256]`, parakeet-mlx's default, a lookahead of 20.8 s (of a cache-aware model, the preset `'balanced'`).
 */
export interface TranscribeStreamOptions
  extends StreamingOptions,
    Pick<LiveOptions, 'decoding' | 'sentences' | 'from' | 'signal'> {
  /**
   * Seconds of silence that `finish` appends, so that the model emits its last words, 0 to 10.
   * @defaultValue 0.8
   */
  flushSilence?: number | undefined;
}

const commonKeys = ['decoding', 'sentences', 'from', 'signal'] as const;

/** Of a caller who reads the transcript where it is. */
const WHOLE: LiveUse = { drafts: true, result: true };

/** `model.live`. @throws {@link ArgumentError}, {@link SavedStateError} */
export function startLive(model: LoadedModel, options: LiveOptions, use = WHOLE): LiveTranscript {
  const own = ['latency', 'language', 'silence', 'normalization', 'lagPolicy', 'draftModel'];
  known('live', options, [...own, ...commonKeys]);
  const { draftModel: given, ...others } = options;
  const draftModel = loadedDraftModel(given);
  if (draftModel) mustShareRate(model.info, draftModel.info);
  const silence = settleSilence(options.silence);
  const language = languageBeside(model.info, draftModel?.info, options.language);
  const decoding = decodingFor(model.info, options.decoding, { mode: 'live', latency: options.latency });
  return start('live', { model, draftModel }, { others, decoding, use }, silence.flush, () => ({
    model: streamingOf(model.info, { ...options, language }, silence),
    draftModel: draftModel && streamingOf(draftModel.info, draftTuning(draftModel.info, options), silence),
  }));
}

/** `model.transcribeStream`. @throws {@link ArgumentError}, {@link SavedStateError} */
export function startTranscribeStream(model: LoadedModel, options: TranscribeStreamOptions): LiveTranscript {
  known('transcribeStream', options, [...streamingOptionKeys, 'flushSilence', ...commonKeys]);
  const flush = finite('flushSilence', options.flushSilence ?? DEFAULT_SILENCE.flush, 0, 10);
  const { latency, lookahead, left, contextSize } = options;
  const unsaid =
    !isCacheAware(model.info) &&
    [latency, lookahead, left, contextSize].every((value) => value === undefined);
  const settled = { others: options, decoding: options.decoding, use: WHOLE };
  return start('transcribeStream', { model }, settled, flush, () => ({
    model: { ...options, ...(unsaid && { contextSize: [256, 256] }) },
  }));
}

/** `decoding`: the accurate model's. `streaming`: the options of each model's encoder; asked for only without a snapshot. */
function start(
  what: string,
  models: LiveModels,
  {
    others: options,
    decoding,
    use,
  }: {
    others: LiveOptions | TranscribeStreamOptions;
    decoding: DecodingOptions | undefined;
    use: LiveUse;
  },
  flushSilence: number,
  streaming: () => { model: StreamingOptions; draftModel?: StreamingOptions | undefined },
): LiveTranscript {
  const { sentences } = options;
  const signal = optionalSignal('signal', options.signal);
  const from = restored(what, models, options);
  if (from) {
    const { options: saved, drafts } = from.state;
    return new LiveTranscript(models, { options: saved, drafts: drafts?.options, from, signal, use });
  }
  checkSentences(sentences);
  checkDecoding(decoding);
  const { model, draftModel } = streaming();
  const settled: SnapshotState['options'] = {
    encoder: resolveStreaming(models.model.info, model),
    flushSilence,
    ...(decoding && { decoding }),
    ...(sentences && { sentences }),
  };
  const draftChoice = models.draftModel && draftDecoding(models.draftModel.info, options.decoding);
  const drafts: SessionOptions | undefined = models.draftModel && {
    encoder: resolveStreaming(models.draftModel.info, draftModel),
    flushSilence,
    ...(draftChoice && { decoding: draftChoice }),
  };
  return new LiveTranscript(models, { options: settled, drafts, from, signal, use });
}

/** The content of the option `from`. @throws {@link ArgumentError}, {@link SavedStateError} */
function restored(
  what: string,
  models: LiveModels,
  options: Pick<LiveOptions, 'from' | 'signal'>,
): SettledLive['from'] {
  const { from, signal: _, ...others } = options;
  if (from === undefined) return undefined;
  if (!(from instanceof Uint8Array)) throw expected('the Uint8Array of a snapshot', 'from', from);
  const [stray] = Object.entries(others).find(([, value]) => value !== undefined) ?? [];
  if (stray !== undefined) {
    throw expected(
      'no other option but signal and draftModel beside from',
      `the options of ${what}`,
      stray,
      'The snapshot brings its own.',
    );
  }
  return readSnapshot(from, ownersOf(models));
}
