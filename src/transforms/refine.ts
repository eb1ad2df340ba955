/**
 * The stage after the last: sentence events in, the same sentences out as they are transcribed with context on both sides. It has a decoder
 * of its own and uses the session of the encoding stage. Where a refined sentence is cut is in refiner.ts.
 */
import type { NativeDecoder } from '../engine/addon.js';
import type { Token, TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { type Booster, boosterOf } from '../model/boost-tree.js';
import type { Calibration } from '../model/confidence.js';
import { calibrationOf, type DecodingOptions, resolveDecoding } from '../model/decoding.js';
import type { StageModel } from '../model/stage-model.js';
import { frameSeconds, TokenPlacer } from '../model/token-placer.js';
import { ruleOf } from '../text/confidence.js';
import type { Encode } from './encode.js';
import type { EncoderSession } from './encoder-session.js';
import { Refiner } from './refiner.js';
import { Stage } from './stage.js';

/**
 * Sentences as they are transcribed with context on both sides, for a stream whose `encoder` keeps {@link REFINE_HISTORY} seconds of sound;
 * it stays open until the `end` event arrives. All other events pass in their order.
 */
export function refine(model: StageModel, encoder: Encode, decoding?: DecodingOptions): Refine {
  return new Refine(model, encoder, decoding);
}

/** The stage that {@link refine} makes. */
export class Refine extends Stage<TranscriptEvent, TranscriptEvent> {
  readonly #model: StageModel;
  readonly #booster: Booster;
  readonly #native: NativeDecoder;
  readonly #session: EncoderSession;
  readonly #calibration: Calibration | undefined;
  readonly #refiner: Refiner;
  #held = true;

  constructor(model: StageModel, encoder: Encode, decoding: DecodingOptions | undefined) {
    const native = model.native.createDecoder(resolveDecoding(model.info, decoding));
    const calibration = calibrationOf(model.info, decoding);
    super({ writableHighWaterMark: 4, readableHighWaterMark: 4 });
    this.#model = model;
    this.#booster = boosterOf(model.info, decoding);
    this.#native = native;
    this.#calibration = calibration;
    this.#refiner = new Refiner((from, until) => this.#hearAgain(from, until), ruleOf(calibration));
    this.#session = encoder.session;
    this.#session.hold();
  }

  /** As in `tokenDecode`. */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    await this.#native.setBoost(this.#booster(boost));
  }

  protected override async process(event: TranscriptEvent): Promise<void> {
    if (event.type === 'sentence') {
      const sentence = await this.#refiner.refine(event.sentence);
      return await this.emitOne({ ...event, sentence });
    }
    if (event.type === 'end') this.#letGo();
    await this.emitOne(event);
  }

  protected override async release(): Promise<void> {
    this.#letGo();
    await this.#native.close();
  }

  async #hearAgain(from: number, until: number): Promise<Token[]> {
    const { info } = this.#model;
    const frame = (seconds: number) => Math.max(0, Math.round(seconds / frameSeconds(info)));
    const tokens = await this.#native.hearAgain(this.#session.native, frame(from), frame(until));
    const placer = new TokenPlacer(info, this.#calibration);
    placer.duration = this.#session.duration;
    return placer.final(tokens);
  }

  #letGo(): void {
    if (this.#held) this.#session.letGo();
    this.#held = false;
  }
}
