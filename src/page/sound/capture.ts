/** From an open source to samples: an audio context with the worklet. */
import type { Sound } from './sources.js';
import type { SoundMessage } from './worklet.js';

/** The model's rate: less to send, and nothing to resample. */
const WANTED_RATE = 16_000;
const WORKLET = '/assets/worklet.js';

export class Capture {
  readonly #context: AudioContext;
  readonly #sound: Sound;
  readonly #node: AudioWorkletNode;

  private constructor(context: AudioContext, sound: Sound, node: AudioWorkletNode) {
    this.#context = context;
    this.#sound = sound;
    this.#node = node;
  }

  /** Begins to record. */
  static async open(sound: Sound, onSound: (message: SoundMessage) => void): Promise<Capture> {
    try {
      return await Capture.#at(WANTED_RATE, sound, onSound);
    } catch (error) {
      // Some browsers do not resample what comes from a device.
      if (!(error instanceof DOMException) || error.name !== 'NotSupportedError') throw error;
      return await Capture.#at(undefined, sound, onSound);
    }
  }

  static async #at(
    sampleRate: number | undefined,
    sound: Sound,
    onSound: (message: SoundMessage) => void,
  ): Promise<Capture> {
    const context = new AudioContext(sampleRate === undefined ? {} : { sampleRate });
    try {
      await context.audioWorklet.addModule(WORKLET);
      const node = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }: MessageEvent<SoundMessage>) => onSound(data);
      sound.connect(context).connect(node);
      await context.resume();
      return new Capture(context, sound, node);
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  /** Samples per second. */
  get rate(): number {
    return this.#context.sampleRate;
  }

  async close(): Promise<void> {
    this.#node.port.onmessage = null;
    this.#sound.close();
    await this.#context.close();
  }
}
