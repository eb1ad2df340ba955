/**
 * The base of sources without back-pressure: a microphone, a voice channel. What their reader does not take waits, up to `maxLag`;
 * `onOverflow` says what happens beyond it. Emits the bytes of a WAV file without an end, so that `parakeet()` needs no options.
 */
import { Readable } from 'node:stream';
import { destroyOnAbort } from '../abort.js';
import { LagError } from '../errors.js';
import { finite, oneOf, optionalSignal } from '../options.js';

/** Options of every live source. */
export interface LiveSourceOptions {
  /**
   * Seconds of sound that may wait for a slow reader, 0.1 to 3600.
   * @defaultValue 60
   */
  maxLag?: number | undefined;
  /**
   * When more would have to wait: `'error'` ends the sound there, and the source fails with a `LagError` once all of it was read; `'gap'`
   * drops sound until there is room, replaces it with digital silence so that times stay correct, and emits `gap`.
   * @defaultValue `'error'`
   */
  onOverflow?: 'error' | 'gap' | undefined;
  /** Ends the source with an `AbortError`. */
  signal?: AbortSignal | undefined;
}

export const liveSourceKeys = ['maxLag', 'onOverflow', 'signal'] as const;

/** Sound that was lost, in seconds from the source's start. */
export interface Gap {
  start: number;
  end: number;
}

/** Longest piece that is passed on at once, in seconds. */
const PIECE_SECONDS = 0.1;
const HEADER_BYTES = 44;

/**
 * Mono sound at one rate. Emits, besides the events of a Readable, `gap` with a {@link Gap} for sound that was lost; its time is filled
 * with digital silence, which costs the model almost nothing.
 */
export class LiveSource extends Readable {
  readonly sampleRate: number;
  readonly #mostBytes: number;
  readonly #onOverflow: 'error' | 'gap';
  /** Samples emitted so far, including silence in place of lost ones. */
  #samples = 0;
  /** Dropped samples that were not replaced by silence yet. */
  #dropped = 0;
  /** Where the first of them would have been, in seconds. */
  #gapStart = 0;
  #failure: Error | undefined;
  #ended = false;

  constructor(sampleRate: number, options: LiveSourceOptions) {
    const maxLag = finite('maxLag', options.maxLag ?? 60, 0.1, 3600);
    super({ highWaterMark: Math.round(PIECE_SECONDS * sampleRate) * 2 });
    this.sampleRate = sampleRate;
    this.#mostBytes = HEADER_BYTES + Math.round(maxLag * sampleRate) * 2;
    this.#onOverflow = oneOf('onOverflow', options.onOverflow ?? 'error', ['error', 'gap']);
    this.push(wavHeader(sampleRate));
    destroyOnAbort(this, optionalSignal('signal', options.signal));
  }

  /** Seconds of sound so far. */
  get time(): number {
    return this.#samples / this.sampleRate;
  }

  /** Seconds of sound that wait for the reader. */
  get lag(): number {
    return this.readableLength / 2 / this.sampleRate;
  }

  /** Emits sound. */
  protected give(samples: Int16Array): void {
    if (this.#ended || this.destroyed || samples.length === 0) return;
    if (this.readableLength + samples.byteLength > this.#mostBytes) {
      if (this.#onOverflow === 'error') {
        const seconds = (this.#mostBytes / 2 / this.sampleRate).toFixed(1);
        this.failLate(
          new LagError(
            `Expected the reader of a live source to keep up but ${seconds} s of sound wait for it (maxLag). ` +
              "Use a faster model or machine, or onOverflow: 'gap'.",
          ),
        );
        return;
      }
      this.#drop(samples.length);
      return;
    }
    if (this.#dropped > 0 && !this.#makeUp(samples.length)) return;
    this.#write(samples);
  }

  /**
   * Emits silence for what was dropped, before `next` samples; returns false when there is still no room for all of it: then `next` are
   * dropped too.
   */
  #makeUp(next: number): boolean {
    const room = Math.floor((this.#mostBytes - this.readableLength) / 2) - next;
    // Not at the first free byte, or sound and silence would alternate.
    const worthIt = this.readableLength <= this.#mostBytes / 2;
    const fits = worthIt ? Math.min(this.#dropped, room) : 0;
    this.#dropped -= fits;
    this.#pieces(fits);
    if (this.#dropped > 0) {
      this.#drop(next);
      return false;
    }
    this.emit('gap', { start: this.#gapStart, end: this.time } satisfies Gap);
    return true;
  }

  /** At the end: no silence replaces what was dropped last, since nothing comes after it. */
  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const end = this.time + this.#dropped / this.sampleRate;
    this.#dropped = 0;
    this.emit('gap', { start: this.#gapStart, end } satisfies Gap);
  }

  #drop(samples: number): void {
    if (this.#dropped === 0) this.#gapStart = this.time;
    this.#dropped += samples;
  }

  /** Replaces samples that were lost with silence. */
  protected fillGap(samples: number): void {
    if (this.#ended || this.destroyed || samples <= 0) return;
    const start = this.time;
    this.silence(samples);
    this.emit('gap', { start, end: this.time } satisfies Gap);
  }

  /** Emits digital silence that is not a loss. */
  protected silence(samples: number): void {
    if (this.#ended || this.destroyed) return;
    const room = Math.floor((this.#mostBytes - this.readableLength) / 2);
    const fits = this.#dropped > 0 ? 0 : Math.min(samples, room);
    this.#pieces(fits);
    if (samples > fits) this.#drop(samples - fits);
  }

  #pieces(samples: number): void {
    const piece = Math.round(PIECE_SECONDS * this.sampleRate);
    for (let left = samples; left > 0; left -= piece) this.#write(new Int16Array(Math.min(piece, left)));
  }

  /** Ends the sound. */
  protected endSound(): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.#reportDropped();
    this.push(null);
  }

  /** Ends the sound because of an error, which is raised when all of it was read. */
  protected failLate(error: Error): void {
    if (this.#ended || this.destroyed) return;
    this.#ended = true;
    this.#reportDropped();
    this.#failure = error;
    this.#failWhenEmpty();
  }

  /** Node's. @internal */
  override _read(): void {}

  // biome-ignore lint/suspicious/noExplicitAny: as in Node's own type, so that this is a stream for finished() and others.
  override read(size?: number): any {
    const bytes = super.read(size) as Buffer | null;
    if (this.#failure) queueMicrotask(() => this.#failWhenEmpty());
    return bytes;
  }

  #write(samples: Int16Array): void {
    this.#samples += samples.length;
    this.push(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
  }

  #failWhenEmpty(): void {
    if (this.readableLength === 0) this.destroy(this.#failure);
  }
}

/** The header for mono samples of 16 bits whose number is not known yet. */
function wavHeader(sampleRate: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(0xffffffff, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(2 * sampleRate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(0xffffffff, 40);
  return head;
}
