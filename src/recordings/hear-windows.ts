/**
 * The third stage of `parakeet({ mode: 'file' })`, in place of logMel, encode and tokenDecode: mono audio in, token events out, one window
 * at a time, each with full context. Cutting and joining is in windows.ts.
 */
import type { AudioChunk, TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { type Booster, boosterOf } from '../model/boost-tree.js';
import { type DecodingOptions, resolveDecoding } from '../model/decoding.js';
import type { SettledSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { expected } from '../options.js';
import { Latencies } from '../transforms/latency.js';
import { Stage } from '../transforms/stage.js';
import { WindowEvents } from './window-events.js';
import { planWindows, type WindowOptions } from './window-plan.js';
import { Windows } from './windows.js';

/** The stage. After each window come the `token` events that no later one can change, and `progress`; at the end comes `end`. */
export class HearWindows extends Stage<AudioChunk, TranscriptEvent> {
  readonly #rate: number;
  readonly #booster: Booster;
  readonly #windows: Windows;
  readonly #events: WindowEvents;
  readonly #aborter = new AbortController();
  readonly #latencies = new Latencies();
  #working: Promise<void> = Promise.resolve();
  #heard = 0;

  /** @throws {@link ArgumentError} */
  constructor(
    model: LoadedModel,
    {
      windows,
      language,
      silence,
      decoding: wanted,
    }: {
      windows: WindowOptions | undefined;
      language: string | undefined;
      silence: SettledSilence;
      decoding: DecodingOptions | undefined;
    },
  ) {
    const plan = planWindows(model.info, windows, silence, language);
    const decoding = resolveDecoding(model.info, wanted);
    super({ readableHighWaterMark: 4 });
    this.#rate = model.sampleRate;
    this.#events = new WindowEvents(model, wanted);
    this.#booster = boosterOf(model.info, wanted);
    this.#windows = new Windows(model, plan, decoding, this.#aborter.signal);
  }

  /** Replaces the boosted phrases from the next window on. */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    this.#windows.decoding = { ...this.#windows.decoding, boost: this.#booster(boost) };
  }

  protected override async process({ channels, sampleRate }: AudioChunk): Promise<void> {
    const [samples, second] = channels;
    if (!samples || second || sampleRate !== this.#rate) {
      const what = `${channels.length} channels at ${sampleRate} Hz`;
      throw expected(`mono audio at ${this.#rate} Hz`, "the input of mode 'file'", what);
    }
    await this.#work(() => this.#windows.push(samples));
    if (this.#windows.heard.windows > this.#heard) await this.#emit();
  }

  protected override async flushHeld(): Promise<void> {
    await this.#work(() => this.#windows.finish());
    await this.#emit();
  }

  protected override async finish(): Promise<void> {
    await this.#work(() => this.#windows.finish());
    this.#heard = this.#windows.heard.windows;
    const { windows, computeSeconds } = this.#windows.heard;
    const audioSeconds = this.#windows.samples / this.#rate;
    const latency = this.#latencies.summary();
    const cost = { audioSeconds, computeSeconds, windows, latency };
    await this.#send(this.#events.end(this.#windows.take(), this.#windows.settledFrames, cost));
  }

  protected override async release(): Promise<void> {
    this.#aborter.abort();
    // The engine's work has ended before the stage is closed.
    await this.#working.catch(() => {});
  }

  async #work(work: () => Promise<void>): Promise<void> {
    const began = performance.now();
    this.#working = work();
    await this.#working;
    if (this.#windows.heard.windows > this.#heard) this.#latencies.add((performance.now() - began) / 1000);
  }

  async #emit(): Promise<void> {
    this.#heard = this.#windows.heard.windows;
    await this.#send(this.#events.settled(this.#windows.take(), this.#windows.settledFrames));
  }

  async #send(events: Iterable<TranscriptEvent>): Promise<void> {
    for (const event of events) await this.emitOne(event);
  }
}
