/**
 * How a live stream trades delay for accuracy, and what it does when nobody speaks: options in seconds, their presets and checks. This is
 * the only place with these numbers; streaming-options.ts has the encoder's frames.
 */
import type { NativeModelInfo } from '../engine/addon.js';
import { expected, finite, flag, integer, known, oneOf } from '../options.js';
import { frameSeconds } from './token-placer.js';

/** A preset of delay and accuracy. */
export type LatencyPreset = 'low' | 'balanced' | 'accurate';

/** Delay and accuracy, in seconds; rounded to the encoder's frames (80 ms). */
export interface LatencyOptions {
  /**
   * Audio that becomes final at each step, above 0 to 800.
   * @defaultValue 0.64
   */
  chunk?: number | undefined;
  /**
   * Audio that a step sees beyond what it makes final, 0 to 800.
   * @defaultValue 1.04
   */
  lookahead?: number | undefined;
  /**
   * Audio before a step that it still attends to, 0 to 800.
   * @defaultValue 10.24
   */
  left?: number | undefined;
  /**
   * Makes tokens final before their lookahead is there, when several drafts in a row agree on them. `false` for never.
   * @defaultValue `false`
   */
  agreement?: AgreementOptions | false | undefined;
}

/** When tokens that drafts agree on are final. */
export interface AgreementOptions {
  /**
   * Drafts in a row, one a step, that must have the same token at the same place (within a frame), 2 to 10.
   * @defaultValue 3
   */
  drafts?: number | undefined;
  /**
   * Seconds of audio that the last of them must have seen after the token's first frame, 0 to 800.
   * @defaultValue 0.32
   */
  lookahead?: number | undefined;
  /**
   * Confidence that each of them must have in the token, 0 to 1; a token of less waits for its lookahead.
   * @defaultValue 0.9
   */
  confidence?: number | undefined;
}

/**
 * A preset, or the numbers themselves. Of a cache-aware model: a preset, or the seconds of a chunk that it was trained with, such as 0.08,
 * 0.16, 0.56 or 1.12; the presets are then its longest chunk of at most 0.16 s, of at most 0.56 s, and its longest.
 */
export type Latency = LatencyPreset | LatencyOptions | number;

const DEFAULT_AGREEMENT: AgreementSeconds = { drafts: 3, lookahead: 0.32, confidence: 0.9 };

/**
 * The presets' seconds: how often a step runs, how far it sees ahead of what it makes final, and how far back; and when tokens that drafts
 * agree on need not wait for that.
 */
export const presets: Readonly<Record<LatencyPreset, LatencySeconds>> = {
  low: { chunk: 0.16, lookahead: 0.96, left: 10.24, agreement: DEFAULT_AGREEMENT },
  balanced: { chunk: 0.64, lookahead: 1.04, left: 10.24 },
  accurate: { chunk: 0.96, lookahead: 2, left: 10.24 },
};

/** The names of the presets. */
export const latencyPresets = Object.keys(presets) as LatencyPreset[];

/** Largest value of these options, in seconds. More would be a mistake that costs memory. */
const LONGEST = 800;
/** Most drafts that may have to agree: more would only wait. */
export const MOST_DRAFTS = 10;

/** What happens when nobody speaks. */
export interface SilenceOptions {
  /**
   * Live: the model sleeps while nobody speaks. Pauses longer than `hangover` cost almost nothing, and what follows is transcribed without
   * earlier context. Sound counts as speech when it is 6.5 dB louder than the room. Without the gate, only digital silence before the first
   * sound is skipped.
   * @defaultValue false
   */
  gate?: boolean | undefined;
  /**
   * Live: seconds of quiet after which speech is over (`speechEnd`, `gate`), 0.1 to 10.
   * @defaultValue 0.8
   */
  hangover?: number | undefined;
  /**
   * Seconds of silence appended at the end, so that the model emits its last words, 0 to 10.
   * @defaultValue 0.8
   */
  flush?: number | undefined;
  /**
   * Seconds after the last sound within which a token of the flush may begin, 0 to 800.
   * @defaultValue 0.32
   */
  emissionDelay?: number | undefined;
}

/** The names of {@link SilenceOptions}. */
const silenceKeys = ['gate', 'hangover', 'flush', 'emissionDelay'] as const;

/** {@link SilenceOptions} with their defaults. */
export interface SettledSilence {
  readonly gate: boolean;
  readonly hangover: number;
  readonly flush: number;
  readonly emissionDelay: number;
}

/** {@link AgreementOptions} with their defaults. */
export interface AgreementSeconds {
  readonly drafts: number;
  readonly lookahead: number;
  readonly confidence: number;
}

/** The seconds of a preset. */
export interface LatencySeconds {
  readonly chunk: number;
  readonly lookahead: number;
  readonly left: number;
  /** Drafts that must agree on a token, and the seconds that they must have seen after it; none: tokens wait for `lookahead`. */
  readonly agreement?: AgreementSeconds | undefined;
}

export const DEFAULT_SILENCE: SettledSilence = {
  gate: false,
  hangover: 0.8,
  flush: 0.8,
  emissionDelay: 0.32,
};

/** Checks what needs no model. @throws {@link ArgumentError} */
export function checkLatency(latency: Latency | undefined): void {
  if (typeof latency === 'number') finite('latency', latency, Number.MIN_VALUE, LONGEST);
  else settleLatency(latency);
}

/** The seconds of a model that is not cache-aware. @throws {@link ArgumentError} */
export function settleLatency(latency: Latency | undefined): LatencySeconds {
  if (latency === undefined) return presets.balanced;
  if (typeof latency === 'string') return presets[oneOf('latency', latency, latencyPresets)];
  if (typeof latency !== 'object' || latency === null) {
    throw expected(
      `one of '${latencyPresets.join("', '")}', or { chunk, lookahead, left }`,
      'latency',
      latency,
      typeof latency === 'number' ? 'A number is for cache-aware models.' : undefined,
    );
  }
  known('latency', latency, ['chunk', 'lookahead', 'left', 'agreement']);
  const { chunk, lookahead, left } = {
    ...presets.balanced,
    ...defined({ ...latency, agreement: undefined }),
  };
  return {
    chunk: finite('latency.chunk', chunk, Number.MIN_VALUE, LONGEST),
    lookahead: finite('latency.lookahead', lookahead, 0, LONGEST),
    left: finite('latency.left', left, 0, LONGEST),
    agreement: settleAgreement(latency.agreement ?? false),
  };
}

/** @throws {@link ArgumentError} */
function settleAgreement(agreement: AgreementOptions | false): AgreementSeconds | undefined {
  if (agreement === false) return undefined;
  known('latency.agreement', agreement, ['drafts', 'lookahead', 'confidence']);
  const { drafts, lookahead, confidence } = { ...DEFAULT_AGREEMENT, ...defined(agreement) };
  return {
    drafts: integer('latency.agreement.drafts', drafts, 2, MOST_DRAFTS),
    lookahead: finite('latency.agreement.lookahead', lookahead, 0, LONGEST),
    confidence: finite('latency.agreement.confidence', confidence, 0, 1),
  };
}

/** @throws {@link ArgumentError} */
export function settleSilence(silence: SilenceOptions = {}): SettledSilence {
  known('silence', silence, silenceKeys);
  const { gate, hangover, flush, emissionDelay } = { ...DEFAULT_SILENCE, ...defined(silence) };
  return {
    gate: flag('silence.gate', gate),
    hangover: finite('silence.hangover', hangover, 0.1, 10),
    flush: finite('silence.flush', flush, 0, 10),
    emissionDelay: finite('silence.emissionDelay', emissionDelay, 0, LONGEST),
  };
}

/** The number of the model's frames nearest to so many seconds. */
export function framesOf(
  info: Pick<NativeModelInfo, 'sampleRate' | 'hop' | 'subsamplingFactor'>,
  seconds: number,
): number {
  return Math.round(seconds / frameSeconds(info));
}

function defined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
