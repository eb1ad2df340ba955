/**
 * Gives native tokens their text and their place in time: frames become seconds, ids become text, and a measured confidence a
 * probability, of a calibrated model. One per transcript, since text and times
 * depend on the tokens before.
 */

import type { NativeModelInfo, NativeTokens } from '../engine/addon.js';
import type { Token } from '../events.js';
import { type Calibration, probabilityOf } from './confidence.js';
import { Detokenizer } from './vocabulary.js';

/** What placing needs of a model. */
export type PlacedModel = Pick<NativeModelInfo, 'hop' | 'subsamplingFactor' | 'sampleRate' | 'vocabulary'>;

/** The state that a placer needs to continue a transcript. */
export interface PlacerState {
  lastStart: number;
  text: { space: boolean; bytes: readonly number[] };
}

/** Seconds of one encoder frame. */
export function frameSeconds({
  hop,
  subsamplingFactor,
  sampleRate,
}: Omit<PlacedModel, 'vocabulary'>): number {
  return (hop * subsamplingFactor) / sampleRate;
}

/** Places the tokens of one transcript. The order of the tokens is authoritative: times are clamped, never sorted. */
export class TokenPlacer {
  /** Seconds of the input, once it is over: no time is beyond it. */
  duration = Number.POSITIVE_INFINITY;
  readonly #frameSeconds: number;
  readonly #text: Detokenizer;
  #lastStart = 0;

  /** @param calibration Of the tokens' confidences; without one they stay as they are. */
  constructor(
    model: PlacedModel,
    private readonly calibration: Calibration | undefined,
  ) {
    this.#frameSeconds = frameSeconds(model);
    this.#text = new Detokenizer(model.vocabulary);
  }

  /** The next final tokens. */
  final(native: NativeTokens): Token[] {
    const tokens = this.#place(native, this.#text);
    this.#lastStart = tokens.at(-1)?.start ?? this.#lastStart;
    return tokens;
  }

  /** Tokens that may follow the final ones; placing them changes nothing. */
  draft(native: NativeTokens): Token[] {
    return this.#place(native, this.#text.clone());
  }

  /** The state that depends on the tokens so far. */
  get state(): PlacerState {
    return { lastStart: this.#lastStart, text: this.#text.state };
  }

  set state({ lastStart, text }: PlacerState) {
    this.#lastStart = lastStart;
    this.#text.state = text;
  }

  #place(native: NativeTokens, text: Detokenizer): Token[] {
    let floor = this.#lastStart;
    return Array.from(native.ids, (id, index) => {
      const frame = native.starts[index] as number;
      const start = Math.min(Math.max(frame * this.#frameSeconds, floor), this.duration);
      const last = (frame + (native.durations[index] as number)) * this.#frameSeconds;
      const end = Math.max(start, Math.min(last, this.duration));
      floor = start;
      const measured = native.confidences[index] as number;
      const confidence = this.calibration ? probabilityOf(this.calibration, measured) : measured;
      return { id, text: text.push(id), start, end, duration: end - start, confidence };
    });
  }
}
