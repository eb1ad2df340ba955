/**
 * The stages of a draft model, beside those of the accurate one: mono audio in, its tokens out by calls. Where the audio is branched off is
 * draft-fork.ts, what becomes of the tokens is draft-join.ts.
 */
import type { AudioChunk, StreamStats, Token, TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { isCacheAware } from '../model/cache-aware.js';
import { draftBoost, draftDecoding, draftTuning } from '../model/draft-model.js';
import { settleSilence } from '../model/latency.js';
import type { StageModel } from '../model/stage-model.js';
import { streamingOf } from '../model/streaming-options.js';
import { encode } from '../transforms/encode.js';
import { FlushMark } from '../transforms/flush-mark.js';
import { logMel } from '../transforms/log-mel.js';
import type { Stage } from '../transforms/stage.js';
import { type TokenDecode, tokenDecode } from '../transforms/token-decode.js';
import type { TranscriptionOptions } from './options.js';

/** What is told to the stage that joins the drafts to the finals. */
export interface DraftListener {
  /** A step is over: tokens that the model does not take back, and those that it may. */
  heard(final: readonly Token[], tentative: readonly Token[]): void;
  /** How far it has heard. */
  position(): number;
}

/** The line of one stream. */
export class DraftLine {
  readonly #model: StageModel;
  readonly #stages: Stage<never, unknown>[] = [];
  readonly #first: Stage<AudioChunk, unknown>;
  readonly #tokens: TokenDecode;
  /** The model has a draft of its own, which each step sends last. */
  readonly #tentative: boolean;
  #final: Token[] = [];
  readonly #flushes: Promise<number>[] = [];
  #stats: StreamStats | undefined;
  #listener: DraftListener | undefined;
  #onError: ((error: Error) => void) | undefined;
  #failed: Error | undefined;
  /** Settles when no more tokens will come, be it because the line has failed. */
  readonly #over: Promise<void>;

  /** @throws {@link ArgumentError} for options that the model does not support. */
  constructor(model: StageModel, options: TranscriptionOptions) {
    this.#model = model;
    const silence = settleSilence(options.silence);
    const flushSilence = silence.flush;
    this.#tentative = !isCacheAware(model.info);
    const keep = <T extends Stage<never, unknown>>(stage: T): T => {
      this.#stages.push(stage);
      stage.on('error', (error) => this.#fail(error));
      return stage;
    };
    try {
      this.#first = keep(logMel(model, { flushSilence }));
      const tuning = streamingOf(model.info, draftTuning(model.info, options), silence);
      const encoder = keep(encode(model, { ...tuning, flushSilence }));
      const decoding = draftDecoding(model.info, options.decoding);
      this.#tokens = keep(tokenDecode(model, { decoding, drafts: this.#tentative }));
      this.#first.pipe(encoder).pipe(this.#tokens);
    } catch (error) {
      for (const stage of this.#stages) stage.destroy();
      throw error;
    }
    this.#tokens.on('data', (event: TranscriptEvent | FlushMark) => this.#take(event));
    this.#over = new Promise((resolve) => this.#tokens.once('close', () => resolve()));
  }

  /** Who gets the tokens. */
  listen(listener: DraftListener): void {
    this.#listener = listener;
  }

  /** Called once if the line fails; at once if it has failed. */
  onError(listener: (error: Error) => void): void {
    this.#onError = listener;
    if (this.#failed) listener(this.#failed);
  }

  /** Takes audio; resolves when there is room for more. */
  write(chunk: AudioChunk): Promise<void> {
    return this.#send(chunk);
  }

  /** Makes everything final that was written. */
  flush(): void {
    const passed = new Promise<number>((resolve) => {
      // At once: what comes after the mark is not of it.
      const told = () => resolve(this.#listener?.position() ?? 0);
      void this.#over.then(told);
      void this.#send(new FlushMark(told));
    });
    this.#flushes.push(passed);
  }

  /** The listener's position when the next of the flushes had been told to it. */
  async flushed(): Promise<number> {
    return (await this.#flushes.shift()) ?? 0;
  }

  end(): void {
    this.#first.end();
  }

  /** Resolves when no more tokens will come, with the cost; undefined if the line has not come to its end. */
  async over(): Promise<StreamStats | undefined> {
    await this.#over;
    return this.#stats;
  }

  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    await this.#tokens.setBoost(draftBoost(this.#model.info, boost));
  }

  /** Its stages, which the composition destroys with its own. */
  get stages(): readonly Stage<never, unknown>[] {
    return this.#stages;
  }

  #send(object: AudioChunk | FlushMark): Promise<void> {
    return new Promise((resolve) => {
      if (this.#first.destroyed || this.#first.writableEnded) resolve();
      else this.#first.write(object, () => resolve());
    });
  }

  #take(event: TranscriptEvent | FlushMark): void {
    if (event instanceof FlushMark) {
      // A flush may make words final without any progress.
      if (this.#final.length > 0) this.#tell([]);
      event.passed();
      return;
    }
    switch (event.type) {
      case 'token':
        this.#final.push(event.token);
        break;
      case 'progress':
        if (!this.#tentative) this.#tell([]);
        break;
      case 'draft':
        this.#tell(event.tokens);
        break;
      case 'end':
        this.#tell([]);
        this.#stats = event.stats;
        break;
      default:
    }
  }

  #tell(tentative: readonly Token[]): void {
    const final = this.#final;
    this.#final = [];
    this.#listener?.heard(final, tentative);
  }

  #fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = error;
    for (const stage of this.#stages) stage.destroy();
    this.#onError?.(error);
  }
}
