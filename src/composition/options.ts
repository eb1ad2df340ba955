/**
 * The options of a transcription, which `parakeet`, `transcribe`, `model.transcribe` and recorded sessions share: their groups, and all
 * checks that need no model. Pure functions; nothing is constructed here.
 */
import { type InputOptions, settleInput } from '../audio/input-options.js';
import { checkDecoding, type DecodingOptions } from '../model/decoding.js';
import { checkLanguage } from '../model/language.js';
import { checkLatency, type Latency, type SilenceOptions, settleSilence } from '../model/latency.js';
import { isModel, type StageModel } from '../model/stage-model.js';
import { checkNormalization, type Normalization } from '../model/streaming-options.js';
import { expected, finite, flag, oneOf, optionalSignal } from '../options.js';
import { settleWindows, type WindowOptions } from '../recordings/window-plan.js';
import { settleUtterances, type UtteranceOptions } from '../text/endpointer.js';
import { checkSentences, type SentenceOptions } from '../text/sentence-options.js';
import { checkSpeakers, type Speakers } from './speakers.js';

/** Options of a transcription; durations and times are seconds. */
export interface TranscriptionOptions {
  /**
   * `'live'`: text as soon as it can be, with the context of a stream. `'file'`: window by window with full context; text comes after each
   * of `windows`, and there are no drafts. `windows` belongs to `'file'`; `latency`, `normalization`, `lagPolicy`, `drafts`, `refine`,
   * `silence.gate` and `silence.hangover` belong to `'live'`.
   * @defaultValue `'live'` of `parakeet`, `'file'` of `transcribe`
   */
  mode?: 'live' | 'file' | undefined;
  /**
   * What the bytes are, and which part of them is transcribed.
   * @defaultValue a sound file, whose format is recognised, from its start to its end
   */
  input?: InputOptions | undefined;
  /**
   * Live: how long a word waits for what comes after it: a preset, or seconds. A cache-aware model has those that it was trained with.
   * @defaultValue `'balanced'`
   */
  latency?: Latency | undefined;
  /**
   * The language that is spoken, for a model that is told it: one of `info.prompts`, such as `'en-US'`.
   * @defaultValue `'auto'`: the model finds out
   */
  language?: string | undefined;
  /**
   * How tokens are chosen, and phrases that are boosted.
   * @defaultValue greedy; with the bundled model on a CPU, for `mode: 'file'` and `latency: 'accurate'`, a beam with its language model
   */
  decoding?: DecodingOptions | undefined;
  /**
   * Where sentences end, besides punctuation.
   * @defaultValue nowhere else
   */
  sentences?: SentenceOptions | undefined;
  /**
   * When an utterance is over: sends `endOfUtterance` events, and ends the open sentence with each. `true` for the defaults.
   * @defaultValue false
   */
  utterances?: UtteranceOptions | boolean | undefined;
  /** What happens when nobody speaks. */
  silence?: SilenceOptions | undefined;
  /**
   * File: how the recording is cut.
   * @defaultValue windows of 120 s that share 15 s
   */
  windows?: WindowOptions | undefined;
  /**
   * Live: statistics that normalise the log-mel frames.
   * @defaultValue `'running'`
   */
  normalization?: Normalization | undefined;
  /**
   * Live: what happens when the machine is slower than speech. In any case drafts are left out and finals come later. `'keep'`: nothing
   * else; the transcript does not change. `'growSteps'`: up to four waiting steps are taken as one, which costs less and has more
   * lookahead; the transcript then depends on the machine's speed, and `stats.stepsGrown` counts it. No audio and no final is ever dropped.
   * @defaultValue `'keep'`
   */
  lagPolicy?: 'keep' | 'growSteps' | undefined;
  /**
   * Live: send `draft` events.
   * @defaultValue true
   */
  drafts?: boolean | undefined;
  /**
   * Live: transcribe each sentence again when it is over, with context on both sides. The `sentence` events have the better words, and are
   * marked `revised` where they differ from the `token` events, which are never taken back. About doubles the compute.
   * @defaultValue false
   */
  refine?: boolean | undefined;
  /**
   * `'written'`: numbers, dates, times, amounts and units of English as digits, see `writtenForm`. A final token that may still become a
   * number waits for the next word. `'spoken'`: as the model writes them.
   * @defaultValue `'spoken'`
   */
  text?: 'spoken' | 'written' | undefined;
  /**
   * `'channels'`: each channel of the input is a speaker's, as in the recording of a call. It is transcribed on its own, and all become one
   * transcript in the order of time, as with `merge`; the events have the `speaker`: `'channel 1'`, `'channel 2'` …, or one of the
   * names in `{ channels: ['Anna', 'Ben'] }`. 1 to 16 channels, each at the cost of a stream; the input must have as many as there are
   * names, and as many to its end.
   * @defaultValue none: channels are mixed
   */
  speakers?: Speakers | undefined;
  /**
   * Put the whole result into the `end` event. Without it, memory stays constant however long the stream is.
   * @defaultValue false of `parakeet`, true of `transcribe`
   */
  collect?: boolean | undefined;
  /**
   * Seconds that are added to the times of all events, at least 0: where this stream begins in a longer recording.
   * @defaultValue 0
   */
  offset?: number | undefined;
  /** Destroys the stream with an `AbortError` when it is aborted. */
  signal?: AbortSignal | undefined;
}

/** Options of `parakeet`. */
export interface ParakeetOptions extends TranscriptionOptions {
  /**
   * A loaded model, or the name of one (a folder or a hub repository) that the stream loads itself: streams with the same name share it,
   * and the last one to close frees it. If the model cannot be loaded, the stream fails.
   * @defaultValue the bundled model, or the one that `PARAKEET_MODEL` names
   */
  model?: StageModel | string | undefined;
  /**
   * Live: a second, faster model that writes the drafts, while `model` writes everything else; loaded or by name, as `model` is. It should
   * be a cache-aware one, whose words come within 80 to 160 ms; of its chunks it takes the longest of at most 0.16 s, and another model takes
   * `latency: 'low'`. A draft is then what this model says after the last final word, found by words and times, so that no word is
   * repeated or left out where one model goes on from the other. Its tokens have the ids of this model's vocabulary. Takes `language`,
   * `silence`, `lagPolicy` and `decoding.boost`. If it fails, all audio so far is made final, then the stream fails.
   * @defaultValue none: `model` writes the drafts too
   */
  draftModel?: StageModel | string | undefined;
}

/** The names of {@link TranscriptionOptions}. */
export const transcriptionKeys = [
  'mode',
  'input',
  'latency',
  'language',
  'decoding',
  'sentences',
  'utterances',
  'silence',
  'windows',
  'normalization',
  'lagPolicy',
  'drafts',
  'refine',
  'text',
  'speakers',
  'collect',
  'offset',
  'signal',
] as const;

/** The names of {@link ParakeetOptions}. */
export const parakeetKeys = ['model', 'draftModel', ...transcriptionKeys] as const;

/** Options that have no meaning in the other mode. */
const LIVE_ONLY = ['latency', 'normalization', 'lagPolicy'] as const;
const LIVE_SILENCE = ['gate', 'hangover'] as const;

/**
 * Checks the values of all options, as far as that needs no model, so that an invalid one throws where it was passed. The names are the
 * caller's to check.
 *
 * @throws {@link ArgumentError}
 */
export function checkTranscription(options: TranscriptionOptions): void {
  settleInput('input', options.input ?? {}, 'input.');
  checkLatency(options.latency);
  checkLanguage(options.language);
  checkDecoding(options.decoding);
  checkSentences(options.sentences);
  settleUtterances(options.utterances);
  settleSilence(options.silence);
  settleWindows(options.windows);
  checkNormalization(options.normalization);
  oneOf('lagPolicy', options.lagPolicy ?? 'keep', ['keep', 'growSteps']);
  flag('drafts', options.drafts ?? true);
  flag('refine', options.refine ?? false);
  oneOf('text', options.text ?? 'spoken', ['spoken', 'written']);
  checkSpeakers(options.speakers);
  flag('collect', options.collect ?? false);
  finite('offset', options.offset ?? 0, 0);
  optionalSignal('signal', options.signal);
  checkMode(options);
}

/** Options of the other mode are errors, not ignored. */
function checkMode(options: TranscriptionOptions): void {
  const mode = oneOf('mode', options.mode ?? 'live', ['live', 'file']);
  const refuse = (option: string, value: unknown) => {
    if (value !== undefined && value !== false) throw expected(`no value with mode '${mode}'`, option, value);
  };
  if (mode === 'live') {
    refuse('windows', options.windows);
    return;
  }
  for (const key of LIVE_ONLY) refuse(key, options[key]);
  for (const key of LIVE_SILENCE) refuse(`silence.${key}`, options.silence?.[key]);
  refuse('drafts', options.drafts);
  refuse('refine', options.refine);
}

/** @throws {@link ArgumentError} for anything but a name and a loaded model, which for `'file'` must be one of `loadModel`. */
export function checkModel(model: unknown, mode: TranscriptionOptions['mode']): void {
  mustNameModel('model', model);
  if (mode === 'file' && isModel(model) && !('addon' in model)) {
    throw expected("a model of loadModel() with mode 'file'", 'model', model);
  }
}

/** @throws {@link ArgumentError} for anything but a name and a loaded model, and where there are no drafts. */
export function checkDraftModel(draftModel: unknown, { mode, drafts }: TranscriptionOptions): void {
  if (draftModel === undefined) return;
  mustNameModel('draftModel', draftModel);
  if (mode === 'file') throw expected("no value with mode 'file'", 'draftModel', draftModel);
  if (drafts === false) throw expected('no value with drafts: false', 'draftModel', draftModel);
}

function mustNameModel(option: string, model: unknown): void {
  if (typeof model === 'string' ? model !== '' : model === undefined || isModel(model)) return;
  const remedy = 'Await loadModel() first.';
  throw expected("a loaded model, or a folder or repository's name,", option, model, remedy);
}
