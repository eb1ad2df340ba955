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
