/**
 * The third stage of `parakeet({ mode: 'file' })`, in place of logMel, encode and tokenDecode: mono audio in, token events out, one window
 * at a time, each with full context. Cutting and merging is in windows.ts.
 */
import type { AudioChunk, TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { boostTreeOrNone } from '../model/boost-tree.js';
import { type DecodingOptions, resolveDecoding } from '../model/decoding.js';
import type { SettledSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { frameSeconds, TokenPlacer } from '../model/token-placer.js';
import { UtteranceMarks } from '../model/utterance-marks.js';
import { expected } from '../options.js';
import { Latencies } from '../transforms/latency.js';
import { Stage } from '../transforms/stage.js';
import { planWindows, type WindowOptions, Windows } from './windows.js';

/** The stage. After each window come the `token` events that no later one can change, and `progress`; at the end comes `end`. */
export class HearWindows extends Stage<AudioChunk, TranscriptEvent> {
  readonly #rate: number;
  readonly #firstUppercase: number | undefined;
  readonly #vocabulary: readonly string[];
  readonly #windows: Windows;
  readonly #placer: TokenPlacer;
  readonly #marks: UtteranceMarks;
  readonly #frameSeconds: number;
  readonly #aborter = new AbortController();
  readonly #latencies = new Latencies();
  #working: Promise<void> = Promise.resolve();
  #heard = 0;
  #progress = 0;

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
    this.#frameSeconds = frameSeconds(model.info);
    this.#placer = new TokenPlacer(model.info);
    this.#marks = new UtteranceMarks(model.info.vocabulary);
    this.#vocabulary = model.info.vocabulary;
    this.#firstUppercase = wanted?.firstUppercase;
    this.#windows = new Windows(model, plan, decoding, this.#aborter.signal);
  }

  /** Replaces the boosted phrases from the next window on. */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    this.#windows.decoding = {
      ...this.#windows.decoding,
      boost: boostTreeOrNone(this.#vocabulary, boost, this.#firstUppercase),
    };
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
    const audioSeconds = this.#windows.samples / this.#rate;
    this.#placer.duration = audioSeconds;
    await this.#emit();
    // The audio may end within a frame.
    await this.#advance(audioSeconds);
    const { windows: steps, computeSeconds } = this.#windows.heard;
    const latency = this.#latencies.summary();
    await this.emitOne({
      type: 'end',
      stats: {
        audioSeconds,
        computeSeconds,
        realTimeFactor: audioSeconds > 0 ? computeSeconds / audioSeconds : 0,
        steps,
        draftsDropped: 0,
        stepsGrown: 0,
        maxLag: 0,
        latency,
      },
    });
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
    for (const token of this.#placer.final(this.#windows.take()))
      await this.emitOne(this.#marks.event(token) ?? { type: 'token', token });
    await this.#advance(Math.min(this.#windows.settledFrames * this.#frameSeconds, this.#placer.duration));
  }

  async #advance(time: number): Promise<void> {
    if (time <= this.#progress) return;
    this.#progress = time;
    await this.emitOne({ type: 'progress', time });
  }
}
