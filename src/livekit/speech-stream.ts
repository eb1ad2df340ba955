/**
 * A speech stream of LiveKit's agents: frames in, speech events out. The base class has the queues; turns.ts decides what is said.
 */
import { randomUUID } from 'node:crypto';
import type { APIConnectOptions, stt } from '@livekit/agents';
import type { AudioFrame } from '@livekit/rtc-node';
import type { ParakeetOptions } from '../composition/options.js';
import type { BoostPhrase } from '../model/boost.js';
import { agents } from './agents.js';
import { Hearing } from './hearing.js';
import { speechEventOf } from './speech-events.js';
import { Turns } from './turns.js';

/** What a stream needs of the class that makes it. */
export interface StreamSettings {
  language: string;
  /** The options of its transcription, with the loaded model. */
  options: () => Promise<ParakeetOptions>;
  onClose: () => void;
}

/** What `stt.stream()` returns. Frames of any rate and number of channels; the channels are mixed. */
export class SpeechStream extends agents.stt.SpeechStream {
  label = 'parakeet.SpeechStream';
  readonly #settings: StreamSettings;
  readonly #requestId = randomUUID();
  #hearing: Hearing | undefined;
  /** Seconds of earlier hearings: frames of another rate begin a new one. */
  #before = 0;

  /** @internal */
  constructor(owner: stt.STT, settings: StreamSettings, connection?: APIConnectOptions) {
    super(owner, undefined, connection);
    this.#settings = settings;
  }

  /** Replaces the boosted phrases from the next step on. @internal */
  async setBoost(phrases: readonly BoostPhrase[]): Promise<void> {
    await this.#hearing?.setBoost(phrases);
  }

  override close(): void {
    super.close();
    this.#hearing?.destroy();
    this.#settings.onClose();
  }

  /** The base class calls it. */
  protected override async run(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.input.next();
        if (done || this.closed) break;
        if (value === agents.stt.SpeechStream.FLUSH_SENTINEL) await this.#hearing?.flush();
        else await this.#hear(value as AudioFrame);
      }
      if (!this.closed) await this.#hearing?.end();
    } catch (error) {
      // close() destroys the transcription in the middle of a write.
      if (!this.closed) throw error;
    } finally {
      this.#hearing?.destroy();
      this.#settings.onClose();
    }
  }

  async #hear(frame: AudioFrame): Promise<void> {
    if (this.#hearing && !this.#hearing.fits(frame)) {
      await this.#hearing.end();
      this.#before += this.#hearing.seconds;
      this.#hearing = undefined;
    }
    this.#hearing ??= await this.#begin(frame);
    await this.#hearing.write(frame);
  }

  async #begin(frame: AudioFrame): Promise<Hearing> {
    const offset = this.#before;
    const turns = new Turns(offset);
    const options = { ...(await this.#settings.options()), offset };
    return new Hearing(
      frame,
      options,
      (event) => {
        for (const turn of turns.push(event)) this.#put(speechEventOf(turn, this.#context));
      },
      // Wakes run(), which may wait for a frame.
      () => this.input.closed || this.input.put(agents.stt.SpeechStream.FLUSH_SENTINEL),
    );
  }

  get #context() {
    const { language } = this.#settings;
    return { requestId: this.#requestId, language, offset: this.startTimeOffset };
  }

  #put(event: stt.SpeechEvent): void {
    if (!this.queue.closed) this.queue.put(event);
  }
}
