/**
 * The stages of one transcription, in their order, joined to one Duplex: bytes in, events out. It decides which stages there are, and knows
 * nothing of what happens to the events.
 */
import type { Duplex } from 'node:stream';
import pumpify from 'pumpify';
import type { TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import type { DecodingOptions } from '../model/decoding.js';
import { languageBeside, mustShareRate } from '../model/draft-model.js';
import { settleSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import type { StageModel } from '../model/stage-model.js';
import { streamingOf } from '../model/streaming-options.js';
import { frameSeconds } from '../model/token-placer.js';
import { HearWindows } from '../recordings/hear-windows.js';
import { SamplesInput } from '../recordings/samples-input.js';
import { Decode, decode } from '../transforms/decode.js';
import { type Encode, encode } from '../transforms/encode.js';
import { FlushMark } from '../transforms/flush-mark.js';
import { logMel } from '../transforms/log-mel.js';
import { type Refine, refine } from '../transforms/refine.js';
import { REFINE_HISTORY } from '../transforms/refiner.js';
import { resample } from '../transforms/resample.js';
import { sentences } from '../transforms/sentences.js';
import type { Stage } from '../transforms/stage.js';
import { type TokenDecode, tokenDecode } from '../transforms/token-decode.js';
import { writtenForm } from '../transforms/written-form.js';
import { DraftFork } from './draft-fork.js';
import { DraftJoin } from './draft-join.js';
import { DraftLine } from './draft-line.js';
import type { TranscriptionOptions } from './options.js';

/** Type of a stage in the pipeline, whatever it carries. */
type AnyStage = Stage<never, unknown>;

/** The models of a pipeline. */
export interface LineModels {
  model: StageModel;
  /** Makes the drafts, while `model` makes the finals. */
  draftModel?: StageModel | undefined;
}

/** What is reported by a pipeline. */
export interface LineListeners {
  onError(error: Error): void;
  /** The input is broken: the pipeline ends, then this error is to be raised. */
  onLateFailure(error: Error): void;
  /** A damaged place in a file, in seconds of the transcript. */
  onGap(gap: { start: number; end: number }): void;
  onReadable(): void;
  onEnd(): void;
}

const Joined = pumpify.ctor({
  autoDestroy: false,
  destroy: false,
  // pumpify passes these on to its Duplex, although its types do not know them.
  ...({ readableObjectMode: true, readableHighWaterMark: 2 } as object),
} as Parameters<typeof pumpify.ctor>[0]);

/**
 * `decode → resample → logMel → encode → tokenDecode → sentences`, and more that refine or write numbers as digits; with mode `'file'`, one stage in place of
 * `logMel`, `encode` and `tokenDecode`. With a draft model, its stages branch off before `logMel` and come together with the others after
 * `tokenDecode`.
 */
export class Line {
  readonly #stages: AnyStage[] = [];
  #encoder: Encode | undefined;
  /** The stages that choose tokens: of a stream, of its refined sentences, or of windows. */
  #tokens: TokenDecode | undefined;
  #refine: Refine | undefined;
  #windows: HearWindows | undefined;
  #draft: DraftLine | undefined;
  #join: DraftJoin | undefined;
  #boost: readonly BoostPhrase[] | undefined;
  #joined: Duplex | undefined;
  /** Seconds of audio that the steps see beyond what they make final; infinite for windows, which always come late. */
  ahead = Number.POSITIVE_INFINITY;

  /** `samples`: the input is the bytes of samples in memory, see {@link SamplesInput}. */
  constructor(
    private readonly options: TranscriptionOptions,
    private readonly samples = false,
  ) {}

  /** Whether it takes bytes. */
  get isOpen(): boolean {
    return this.#joined !== undefined;
  }

  /** The first stage, once the pipeline is open. */
  get decoder(): Decode | SamplesInput | undefined {
    const [first] = this.#stages;
    return first instanceof Decode || first instanceof SamplesInput ? first : undefined;
  }

  /** @throws {@link ArgumentError} for options that the model does not support; the stages that exist already are left to `destroy`. */
  open({ model, draftModel }: LineModels, listeners: LineListeners): void {
    if (draftModel) {
      mustShareRate(model.info, draftModel.info);
      this.#draft = new DraftLine(draftModel, { ...this.options, decoding: this.#decoding });
    }
    // Into the field one by one, so that destroy() finds the existing ones when one of them throws.
    for (const make of this.#plan(model, draftModel)) {
      const stage = make() as AnyStage;
      this.#stages.push(stage);
      // Before pumpify listens: every stage must get the first error itself, and pumpify destroys them without a cause. At once: when a
      // later one throws, those that exist are destroyed with its error.
      stage.on('error', listeners.onError);
      stage.onLateFailure = listeners.onLateFailure;
    }
    this.decoder?.on('gap', listeners.onGap);
    const joined = new Joined(this.#stages);
    joined.on('error', listeners.onError);
    joined.on('readable', listeners.onReadable);
    joined.on('end', listeners.onEnd);
    this.#joined = joined;
  }

  write(bytes: Uint8Array, callback: (error?: Error | null) => void): void {
    this.#joined?.write(bytes, callback);
  }

  end(): void {
    this.#joined?.end();
  }

  read(): TranscriptEvent | FlushMark | null {
    return (this.#joined?.read() as TranscriptEvent | FlushMark | null | undefined) ?? null;
  }

  /** Sends a mark behind everything that was written; `passed` is called when it arrives, or when the pipeline is over. */
  async mark(passed: () => void): Promise<void> {
    const { decoder } = this;
    // The pipeline takes bytes as soon as there is room for them, so they may still wait to be decoded.
    if (decoder && !decoder.writableEnded) {
      await new Promise<void>((resolve) => decoder.write(new Uint8Array(0), () => resolve()));
    }
    if (!decoder || decoder.destroyed || decoder.readableEnded) return passed();
    await decoder.flush(new FlushMark(passed));
  }

  /** Replaces the boosted phrases from the next step or window on; before the pipeline is open, from its start. */
  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    this.#boost = boost;
    const choosing = [this.#tokens, this.#refine, this.#windows, this.#draft];
    await Promise.all(choosing.map((stage) => stage?.setBoost(boost)));
  }

  /** Whether the transcript is behind its audio: then drafts are left out. */
  set behind(behind: boolean) {
    if (this.#tokens) this.#tokens.behind = behind;
    if (this.#join) this.#join.behind = behind;
  }

  /** Resolves when all stages are closed. */
  async closed(): Promise<void> {
    await Promise.all(this.#all.map(closing));
  }

  /** Stops all stages; resolves when they are closed. */
  async destroy(error: Error | undefined): Promise<void> {
    const closed = this.closed();
    for (const stage of this.#all) stage.destroy(error);
    this.#joined?.destroy();
    await closed;
  }

  get #all(): AnyStage[] {
    return [...this.#stages, ...(this.#draft?.stages ?? [])];
  }

  /** The decoding options with the current phrases. */
  get #decoding(): DecodingOptions | undefined {
    const { decoding } = this.options;
    return this.#boost === undefined ? decoding : { ...decoding, boost: this.#boost };
  }

  #plan(model: StageModel, draftModel: StageModel | undefined): (() => unknown)[] {
    const { input, sentences: limits, utterances, mode } = this.options;
    return [
      ...(this.samples
        ? [() => new SamplesInput(model.info.sampleRate)]
        : [() => decode(input), () => resample(model.info.sampleRate)]),
      ...(mode === 'file' ? [() => this.#file(model as LoadedModel)] : this.#live(model, draftModel)),
      () => sentences({ ...limits, utterances }),
      ...(this.options.refine ? [() => this.#refined(model)] : []),
      ...(this.options.text === 'written' ? [() => writtenForm()] : []),
    ];
  }

  #live(model: StageModel, draftModel: StageModel | undefined): (() => unknown)[] {
    const draft = this.#draft;
    const drafts = draft ? false : this.options.drafts;
    const silence = settleSilence(this.options.silence);
    const language = languageBeside(model.info, draftModel?.info, this.options.language);
    const streaming = streamingOf(model.info, { ...this.options, language }, silence);
    this.ahead = (streaming.lookahead ?? 0) * frameSeconds(model.info);
    const flushSilence = silence.flush;
    return [
      ...(draft ? [() => new DraftFork(draft)] : []),
      () => logMel(model, { flushSilence }),
      () => {
        const history = this.options.refine ? REFINE_HISTORY : 0;
        this.#encoder = encode(model, { ...streaming, history, flushSilence });
        return this.#encoder;
      },
      () => {
        this.#tokens = tokenDecode(model, { decoding: this.#decoding, drafts });
        return this.#tokens;
      },
      ...(draft ? [() => this.#draftsOf(draft)] : []),
    ];
  }

  #draftsOf(draft: DraftLine): DraftJoin {
    this.#join = new DraftJoin(draft);
    return this.#join;
  }

  #refined(model: StageModel): Refine {
    this.#refine = refine(model, this.#encoder as Encode, this.#decoding);
    return this.#refine;
  }

  #file(model: LoadedModel): HearWindows {
    const { windows, silence, language } = this.options;
    this.#windows = new HearWindows(model, {
      windows,
      language,
      silence: settleSilence(silence),
      decoding: this.#decoding,
    });
    return this.#windows;
  }
}

function closing(stage: AnyStage): Promise<void> {
  return stage.closed ? Promise.resolve() : new Promise((resolve) => stage.once('close', () => resolve()));
}
