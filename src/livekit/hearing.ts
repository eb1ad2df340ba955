/**
 * One transcription that is fed with LiveKit's frames, all of one rate and number of channels. What its events mean is not its concern.
 */
import { once } from 'node:events';
import type { AudioFrame } from '@livekit/rtc-node';
import type { ParakeetOptions } from '../composition/options.js';
import type { ParakeetStream } from '../composition/parakeet-stream.js';
import type { TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import { parakeet } from '../parakeet.js';

export class Hearing {
  readonly #stream: ParakeetStream;
  readonly #rate: number;
  readonly #channels: number;
  readonly #read: Promise<void>;
  readonly #destroyed = new AbortController();
  #failure: Error | undefined;
  #samples = 0;

  /**
   * @param onEvent Called with each event.
   * @param onFailure Called when the transcription fails; each later call fails with the same error.
   */
  constructor(
    { sampleRate, channels }: AudioFrame,
    options: ParakeetOptions,
    onEvent: (event: TranscriptEvent) => void,
    onFailure: () => void,
  ) {
    this.#rate = sampleRate;
    this.#channels = channels;
    this.#stream = parakeet({ ...options, input: { format: 's16le', sampleRate, channels } });
    this.#read = this.#follow(onEvent);
    this.#read.catch((error: Error) => {
      this.#failure = error;
      onFailure();
    });
  }

  /** Seconds of audio that were written. */
  get seconds(): number {
    return this.#samples / this.#rate;
  }

  fits({ sampleRate, channels }: AudioFrame): boolean {
    return sampleRate === this.#rate && channels === this.#channels;
  }

  /** Resolves when there is room for the next frame. */
  async write({ data, samplesPerChannel }: AudioFrame): Promise<void> {
    if (samplesPerChannel === 0) return;
    this.#samples += samplesPerChannel;
    // A copy: the frame's memory belongs to LiveKit.
    const bytes = Buffer.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    if (this.#failure) throw this.#failure;
    const { signal } = this.#destroyed;
    if (!this.#stream.write(bytes) && !this.#stream.destroyed) await once(this.#stream, 'drain', { signal });
  }

  async flush(): Promise<void> {
    if (this.#failure) throw this.#failure;
    await this.#stream.flush();
  }

  async setBoost(phrases: readonly BoostPhrase[]): Promise<void> {
    await this.#stream.setBoost(phrases);
  }

  /** Ends the audio; resolves when its last event was seen. */
  async end(): Promise<void> {
    this.#stream.end();
    await this.#read;
  }

  destroy(): void {
    this.#destroyed.abort();
    this.#stream.destroy();
  }

  async #follow(onEvent: (event: TranscriptEvent) => void): Promise<void> {
    for await (const event of this.#stream) onEvent(event);
  }
}
