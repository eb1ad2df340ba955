/**
 * The stages of one transcription, in their order, joined to one Duplex: bytes in, events out. It decides which stages there are, and knows
 * nothing of what happens to the events.
 */
import type { Duplex } from 'node:stream';
import pumpify from 'pumpify';
import type { AudioChunk, TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { calibrationOf, type DecodingOptions } from '../model/decoding.js';
import { decodingFor } from '../model/default-decoding.js';
import { languageBeside, mustShareRate } from '../model/draft-model.js';
import { settleSilence } from '../model/latency.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { speechEvent } from '../model/speech-changes.js';
import type { StageModel } from '../model/stage-model.js';
import { streamingOf } from '../model/streaming-options.js';
import { frameSeconds } from '../model/token-placer.js';
import { HearWindows } from '../recordings/hear-windows.js';
import { SamplesInput } from '../recordings/samples-input.js';
import { Decode } from '../transforms/decode.js';
import { type Encode, encode } from '../transforms/encode.js';
import type { FlushMark } from '../transforms/flush-mark.js';
import { type LogMel, logMel } from '../transforms/log-mel.js';
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
import {
  closing,
  type Decoder,
  decoderOf,
  type LineInput,
  type LineListeners,
  type LineModels,
  sendMark,
  type TranscriptLine,
} from './transcript-line.js';

/** Type of a stage in the pipeline, whatever it carries. */
type AnyStage = Stage<never, unknown>;

const Joined = pumpify.ctor({
  autoDestroy: false,
  destroy: false,
  // pumpify passes these on to its Duplex, although its types do not know them.
  ...({ readableObjectMode: true, readableHighWaterMark: 2 } as object),
} as Parameters<typeof pumpify.ctor>[0]);

/** The same for audio in place of bytes. */
const JoinedAudio = pumpify.ctor({ autoDestroy: false, destroy: false, objectMode: true, highWaterMark: 2 });

/**
 * `decode → resample → logMel → encode → tokenDecode → sentences`, and more that refine or write numbers as digits; with mode `'file'`, one stage in place of
 * `logMel`, `encode` and `tokenDecode`. With a draft model, its stages branch off before `logMel` and come together with the others after
 * `tokenDecode`.
 */
export class Line implements TranscriptLine {
  readonly #stages: AnyStage[] = [];
  #encoder: Encode | undefined;
  /** The stages that choose tokens: of a stream, of its refined sentences, or of windows. */
  #tokens: TokenDecode | undefined;
  #refine: Refine | undefined;
  #windows: HearWindows | undefined;
  #draft: DraftLine | undefined;
  #join: DraftJoin | undefined;
  #onReadable: (() => void) | undefined;
  #boost: readonly BoostPhrase[] | undefined;
  #joined: Duplex | undefined;
  /** Where speech begins and ends: these events pass by the stages behind the front end, which may be in the middle of a step. */
  readonly #speech: TranscriptEvent[] = [];
  ahead = Number.POSITIVE_INFINITY;

  /** `takes`: what its input is; `'audio'` is one channel that was decoded before, at any rate. */
  constructor(
    private readonly options: TranscriptionOptions,
    private readonly takes: LineInput | 'audio' = 'bytes',
  ) {}

  get isOpen(): boolean {
    return this.#joined !== undefined;
  }

  get decoder(): Decoder | undefined {
    const [first] = this.#stages;
    return first instanceof Decode || first instanceof SamplesInput ? first : undefined;
  }

  /** @throws {@link ArgumentError} for options that the model does not support; the stages that exist already are left to `destroy`. */
  open({ model, draftModel }: LineModels, listeners: LineListeners): void {
    if (draftModel) {
      mustShareRate(model.info, draftModel.info);
      const decoding = this.#boost ? { boost: this.#boost } : this.options.decoding;
      this.#draft = new DraftLine(draftModel, { ...this.options, decoding });
    }
    this.#onReadable = listeners.onReadable;
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
    const joined = this.takes === 'audio' ? new JoinedAudio(this.#stages) : new Joined(this.#stages);
    joined.on('error', listeners.onError);
    joined.on('readable', listeners.onReadable);
    joined.on('end', listeners.onEnd);
    this.#joined = joined;
  }

  write(input: Uint8Array | AudioChunk | FlushMark, callback: (error?: Error | null) => void): void {
    this.#joined?.write(input, callback);
  }

  end(): void {
    this.#joined?.end();
  }

  read(): TranscriptEvent | FlushMark | null {
    const first = this.#speech.shift();
    return first ?? (this.#joined?.read() as TranscriptEvent | FlushMark | null | undefined) ?? null;
  }

  async mark(passed: () => void): Promise<void> {
    await sendMark(this.decoder, passed);
  }

  async setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    this.#boost = boost;
    const choosing = [this.#tokens, this.#refine, this.#windows, this.#draft];
    await Promise.all(choosing.map((stage) => stage?.setBoost(boost)));
  }

  set behind(behind: boolean) {
    if (this.#tokens) this.#tokens.behind = behind;
    if (this.#join) this.#join.behind = behind;
  }

  async closed(): Promise<void> {
    await Promise.all(this.#all.map(closing));
  }

  async destroy(error: Error | undefined): Promise<void> {
    const closed = this.closed();
    for (const stage of this.#all) stage.destroy(error);
    this.#joined?.destroy();
    await closed;
  }

  get #all(): AnyStage[] {
    return [...this.#stages, ...(this.#draft?.stages ?? [])];
  }

  /** The decoding options of the accurate model, with the current phrases. */
  #decodingOf({ info }: StageModel): DecodingOptions | undefined {
    const { mode = 'live', latency } = this.options;
    const decoding = decodingFor(info, this.options.decoding, { mode, latency });
    return this.#boost === undefined ? decoding : { ...decoding, boost: this.#boost };
  }

  #calibrated({ info }: StageModel): boolean {
    return calibrationOf(info, this.options.decoding) !== undefined;
  }

  #plan(model: StageModel, draftModel: StageModel | undefined): (() => unknown)[] {
    const { input, sentences: limits, utterances, mode } = this.options;
    return [
      ...(this.takes === 'audio' ? [] : [() => decoderOf(this.takes as LineInput, model, input)]),
      ...(this.takes === 'samples' ? [] : [() => resample(model.info.sampleRate)]),
      ...(mode === 'file' ? [() => this.#file(model as LoadedModel)] : this.#live(model, draftModel)),
      () => sentences({ ...limits, utterances, calibrated: this.#calibrated(model) }),
      ...(this.options.refine ? [() => this.#refined(model)] : []),
      ...(this.options.text === 'written'
        ? [() => writtenForm({ calibrated: this.#calibrated(model) })]
        : []),
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
      () => this.#frontEnd(logMel(model, { flushSilence, speechHangover: silence.hangover })),
      () => {
        const history = this.options.refine ? REFINE_HISTORY : 0;
        this.#encoder = encode(model, { ...streaming, history, flushSilence });
        return this.#encoder;
      },
      () => {
        this.#tokens = tokenDecode(model, { decoding: this.#decodingOf(model), drafts });
        return this.#tokens;
      },
      ...(draft ? [() => this.#draftsOf(draft)] : []),
    ];
  }

  #frontEnd(stage: LogMel): LogMel {
    stage.onSpeech = (changes) => {
      this.#speech.push(...changes.map(speechEvent));
      this.#onReadable?.();
    };
    return stage;
  }

  #draftsOf(draft: DraftLine): DraftJoin {
    this.#join = new DraftJoin(draft);
    return this.#join;
  }

  #refined(model: StageModel): Refine {
    this.#refine = refine(model, this.#encoder as Encode, this.#decodingOf(model));
    return this.#refine;
  }

  #file(model: LoadedModel): HearWindows {
    const { windows, silence, language } = this.options;
    this.#windows = new HearWindows(model, {
      windows,
      language,
      silence: settleSilence(silence),
      decoding: this.#decodingOf(model),
    });
    return this.#windows;
  }
}
