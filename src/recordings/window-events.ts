/**
 * What a recording's windows become in `mode: 'file'`: `token` events that no later window can change, `progress` after each window, and
 * `end`. The same for windows that this process transcribes and for those that others did.
 */
import type { NativeTokens } from '../engine/addon.js';
import type { EndEvent, TranscriptEvent } from '../events.js';
import { calibrationOf, type DecodingOptions } from '../model/decoding.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { frameSeconds, TokenPlacer } from '../model/token-placer.js';
import { UtteranceMarks } from '../model/utterance-marks.js';
import { type WindowPlan, windowSpans } from './window-plan.js';
import { type HeardWindow, JoinedWindows } from './window-tokens.js';

/** Makes the events of one recording. */
export class WindowEvents {
  readonly #placer: TokenPlacer;
  readonly #marks: UtteranceMarks;
  readonly #frameSeconds: number;
  #progress = 0;

  /** @param decoding As the windows were decoded. */
  constructor({ info }: Pick<LoadedModel, 'info'>, decoding: DecodingOptions | undefined) {
    this.#frameSeconds = frameSeconds(info);
    this.#placer = new TokenPlacer(info, calibrationOf(info, decoding));
    this.#marks = new UtteranceMarks(info.vocabulary);
  }

  /** After a window: the tokens that it settled, and the frames up to which nothing changes any more. */
  *settled(tokens: NativeTokens, frames: number): Generator<TranscriptEvent> {
    for (const token of this.#placer.final(tokens))
      yield this.#marks.event(token) ?? { type: 'token', token };
    yield* this.#advance(Math.min(frames * this.#frameSeconds, this.#placer.duration));
  }

  /** After the last window: the rest of the tokens, and the end. */
  *end(tokens: NativeTokens, frames: number, cost: RecordingCost): Generator<TranscriptEvent> {
    const { audioSeconds } = cost;
    this.#placer.duration = audioSeconds;
    yield* this.settled(tokens, frames);
    // The audio may end within a frame.
    yield* this.#advance(audioSeconds);
    yield endOf(cost);
  }

  *#advance(time: number): Generator<TranscriptEvent> {
    if (time <= this.#progress) return;
    this.#progress = time;
    yield { type: 'progress', time };
  }
}

/**
 * The events of a recording of `samples` samples whose windows have all been transcribed, wherever.
 *
 * @param plan How it was cut. @param decoding As the windows were decoded.
 */
export function* eventsOfWindows(
  model: Pick<LoadedModel, 'info' | 'sampleRate'>,
  { plan, decoding }: { plan: WindowPlan; decoding: DecodingOptions | undefined },
  samples: number,
  windows: readonly HeardWindow[],
): Generator<TranscriptEvent> {
  const { info, sampleRate } = model;
  const joined = new JoinedWindows(info.hop * info.subsamplingFactor, plan.overlap);
  const events = new WindowEvents(model, decoding);
  const spans = windowSpans(plan, samples);
  if (spans.length !== windows.length)
    throw new RangeError(`Expected ${spans.length} windows but received ${windows.length}`);
  let computeSeconds = 0;
  for (const [i, span] of spans.entries()) {
    const window = windows[i] as HeardWindow;
    computeSeconds += window.computeSeconds;
    joined.push(window.tokens, span);
    if (!span.last) yield* events.settled(joined.take(), joined.settledFrames);
  }
  joined.settle(samples);
  const latency = { p50: 0, p95: 0, max: 0 };
  const cost = { audioSeconds: samples / sampleRate, computeSeconds, windows: windows.length, latency };
  yield* events.end(joined.take(), joined.settledFrames, cost);
}

/** What transcribing a recording in windows has cost. */
export interface RecordingCost {
  audioSeconds: number;
  computeSeconds: number;
  windows: number;
  latency: EndEvent['stats']['latency'];
}

function endOf({ audioSeconds, computeSeconds, windows, latency }: RecordingCost): EndEvent {
  return {
    type: 'end',
    stats: {
      audioSeconds,
      computeSeconds,
      realTimeFactor: audioSeconds > 0 ? computeSeconds / audioSeconds : 0,
      steps: windows,
      draftsDropped: 0,
      stepsGrown: 0,
      maxLag: 0,
      latency,
    },
  };
}
