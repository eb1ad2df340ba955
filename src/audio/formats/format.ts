/**
 * What `decode` asks of one audio format, and what all formats share: cutting into short chunks, and keeping count of damage.
 */
import { AudioError } from '../../errors.js';
import type { AudioChunk } from '../../events.js';

/** Audio of a format. */
export interface DecodedChunk extends AudioChunk {
  /** It is silence, in the place of audio that was damaged or never came. */
  lost?: true;
}

/**
 * An incremental decoder of one format. Errors are `AudioError`s; what was yielded before them stays valid. Damage in the middle
 * does not stop decoding: it is replaced by silence, and `end` fails.
 */
export interface FormatDecoder {
  /** Seconds of the whole, if known from the file so far. */
  readonly duration?: number | undefined;
  push(bytes: Uint8Array): AsyncIterable<DecodedChunk>;
  /** Emits everything that can be decoded from the bytes so far. More will come. */
  flush(): AsyncIterable<DecodedChunk>;
  /** The input is over. */
  end(): AsyncIterable<DecodedChunk>;
  /** Frees what the garbage collector does not. */
  close(): void | Promise<void>;
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

/** Digital silence, in chunks of at most 100 ms. */
export function* silence(samples: number, channels: number, sampleRate: number): Generator<AudioChunk> {
  const longest = Math.max(1, Math.floor(sampleRate / LONGEST));
  for (let left = samples; left > 0; left -= longest) {
    const length = Math.min(left, longest);
    yield { channels: Array.from({ length: channels }, () => new Float32Array(length)), sampleRate };
  }
}

/** Silence in the place of lost audio. */
export function* lostAudio(samples: number, channels: number, sampleRate: number): Generator<DecodedChunk> {
  for (const chunk of silence(samples, channels, sampleRate)) yield { ...chunk, lost: true };
}

/** The damaged places of one file, for the error at its end. */
export class Damage {
  #places = 0;
  #seconds = 0;
  #first: { time: number; what: string; cause: unknown } | undefined;

  /** @param format Its name in the message. */
  constructor(private readonly format: string) {}

  get places(): number {
    return this.#places;
  }

  /**
   * @param time Where, in seconds. @param seconds How much is lost there. @param what The matter, as in "a frame that does not match its
   * checksum".
   */
  add(time: number, seconds: number, what: string, cause?: unknown): void {
    this.#places++;
    this.#seconds += seconds;
    this.#first ??= { time, what, cause };
  }

  /** More was lost at the place that was added last. */
  extend(seconds: number): void {
    this.#seconds += seconds;
  }

  /** The error for all of it; undefined when the file is intact. @param more What else is wrong, as a sentence. */
  error(more = ''): AudioError | undefined {
    const first = this.#first;
    if (!first) return undefined;
    const places = this.#places === 1 ? 'one place' : `${this.#places} places`;
    const where = `${this.#places === 1 ? 'at' : 'the first at'} ${first.time.toFixed(3)} s`;
    return broken(
      `Expected an intact ${this.format} file but it is damaged in ${places}, ${where}: ${first.what}. ` +
        `${this.#seconds > 0 ? `${this.#seconds.toFixed(3)} s of sound is lost and replaced by silence; the` : 'The'} rest was transcribed. ` +
        `${more === '' ? '' : `${more} `}Check that the file is intact.`,
      first.cause,
    );
  }
}
