/**
 * What `decode` asks of one audio format, and the cutting into short chunks that all formats share.
 */
import { AudioError } from '../../errors.js';
import type { AudioChunk } from '../../events.js';

/** An incremental decoder of one format. Errors are `AudioError`s; what was yielded before them stays valid. */
export interface FormatDecoder {
  push(bytes: Uint8Array): AsyncIterable<AudioChunk>;
  /** The input is over. */
  end(): AsyncIterable<AudioChunk>;
  /** Frees what the garbage collector does not. */
  close(): void;
}

/** Chunks are at most 1/10 s, since streams count objects and not seconds, … */
export const LONGEST = 10;
/** … and at least 1/100 s except at the end, so that a source of single bytes does not make an object per sample. */
export const SHORTEST = 100;

/** The error for audio that cannot be right, or that ends too early. */
export function broken(message: string, cause?: unknown): AudioError {
  return new AudioError('ERR_PARAKEET_INVALID_AUDIO', message, cause === undefined ? undefined : { cause });
}

/** Checks what a header says of the audio. */
export function checkShape(format: string, sampleRate: number, channels: number): void {
  if (!(sampleRate >= 1 && sampleRate <= 1_000_000)) {
    throw broken(
      `Expected a sample rate from 1 to 1000000 Hz in the ${format} header but received ${sampleRate}. Check that the file is intact.`,
    );
  }
  if (!(channels >= 1 && channels <= 256)) {
    throw broken(
      `Expected 1 to 256 channels in the ${format} header but received ${channels}. Check that the file is intact.`,
    );
  }
}

/** Cuts arrays of any length into chunks of at most 100 ms. */
export function* cut(channels: Float32Array[], sampleRate: number): Generator<AudioChunk> {
  const length = channels[0]?.length ?? 0;
  const longest = Math.max(1, Math.floor(sampleRate / LONGEST));
  for (let start = 0; start < length; start += longest) {
    yield { channels: channels.map((channel) => channel.subarray(start, start + longest)), sampleRate };
  }
}
