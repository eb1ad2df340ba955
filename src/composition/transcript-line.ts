/**
 * What a stream needs of its pipeline, be it one line of stages (line.ts) or one for each channel (channel-lines.ts), and the first stage,
 * which both have.
 */
import type { InputOptions } from '../audio/input-options.js';
import type { TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import type { StageModel } from '../model/stage-model.js';
import { SamplesInput } from '../recordings/samples-input.js';
import { type Decode, decode } from '../transforms/decode.js';
import { FlushMark } from '../transforms/flush-mark.js';
import type { Stage } from '../transforms/stage.js';

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

/** The bytes of a file or of raw PCM, or of samples in memory, see {@link SamplesInput}. */
export type LineInput = 'bytes' | 'samples';

/** The first stage of a pipeline. */
export type Decoder = Decode | SamplesInput;

/** A pipeline: bytes in, events out. */
export interface TranscriptLine {
  /** Whether it takes bytes. */
  readonly isOpen: boolean;
  /** The first stage, once the pipeline is open. */
  readonly decoder: Decoder | undefined;
  /** Seconds of audio that the steps see beyond what they make final; infinite for windows, which always come late. */
  readonly ahead: number;
  /** Whether the transcript is behind its audio: then drafts are left out. */
  set behind(behind: boolean);
  open(models: LineModels, listeners: LineListeners): void;
  write(bytes: Uint8Array, callback: (error?: Error | null) => void): void;
  end(): void;
  read(): TranscriptEvent | FlushMark | null;
  /** Sends a mark behind everything that was written; `passed` is called when it arrives, or when the pipeline is over. */
  mark(passed: () => void): Promise<void>;
  /** Replaces the boosted phrases from the next step or window on; before the pipeline is open, from its start. */
  setBoost(boost: readonly BoostPhrase[]): Promise<void>;
  /** Resolves when all stages are closed. */
  closed(): Promise<void>;
  /** Stops all stages; resolves when they are closed. */
  destroy(error: Error | undefined): Promise<void>;
}

/** Makes the first stage. */
export function decoderOf(takes: LineInput, model: StageModel, input: InputOptions | undefined): Decoder {
  return takes === 'samples' ? new SamplesInput(model.info.sampleRate) : decode(input);
}

/** See {@link TranscriptLine.mark}. */
export async function sendMark(decoder: Decoder | undefined, passed: () => void): Promise<void> {
  // The pipeline takes bytes as soon as there is room for them, so they may still wait to be decoded.
  if (decoder && !decoder.writableEnded) {
    await new Promise<void>((resolve) => decoder.write(new Uint8Array(0), () => resolve()));
  }
  if (!decoder || decoder.destroyed || decoder.readableEnded) return passed();
  await decoder.flush(new FlushMark(passed));
}

/** Resolves when a stage is closed. */
export function closing(stage: Stage<never, unknown>): Promise<void> {
  return stage.closed ? Promise.resolve() : new Promise((resolve) => stage.once('close', () => resolve()));
}
