/**
 * A source: a microphone, or any input device of this machine. The device itself is in recorder.ts.
 */
import { AudioError } from '../errors.js';
import { expected, known } from '../options.js';
import { LiveSource, type LiveSourceOptions, liveSourceKeys } from './live-source.js';
import { type InputDevice, type RecorderLibrary, type Recording, recorderLibrary } from './recorder.js';

/** Options of {@link mic}. */
export interface MicOptions extends LiveSourceOptions {
  /**
   * The name of a device as {@link devices} returns it, a part that only one name has, or the device's index.
   * @defaultValue the system's
   */
  device?: string | number | undefined;
  /**
   * The recording package.
   * @defaultValue `decibri`
   * @internal
   */
  library?: RecorderLibrary | undefined;
}

const SAMPLE_RATE = 16_000;
/** 50 ms. */
const BUFFER_SAMPLES = 800;

/**
 * Lists the input devices of this machine.
 * @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` without the package `decibri`, which records.
 *
 * @example
 * ```js no-run
 * import { devices } from 'parakeet-stream';
 *
 * for (const { index, name, isDefault } of devices()) console.log(index, name, isDefault ? '(default)' : '');
 * ```
 */
export function devices(): InputDevice[];
/** With another recording package, for tests. @internal */
export function devices(library: RecorderLibrary): InputDevice[];
export function devices(library: RecorderLibrary = recorderLibrary()): InputDevice[] {
  return library.inputDevices().map(({ index, name, isDefault }) => ({ index, name, isDefault }));
}

/**
 * The sound of a microphone, mono, 16 kHz, as a source for `parakeet()`. Emits `recording` with the device when sound arrives, and `gap`
 * for sound that was lost.
 *
 * Recording begins at once and ends with `stop()` (the sound so far is still emitted), `destroy()` or the signal. `suspend()` and
 * `resumeRecording()` pause it: the time of the pause is filled with silence.
 *
 * @throws {@link ArgumentError} for invalid options. @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` without `decibri`.
 * The source fails with an `AudioError` `ERR_PARAKEET_INVALID_AUDIO` when there is no such device, it cannot be opened (missing permission,
 * for example), or it disappears; all sound before that is read first. It fails with a `LagError` when its reader is too slow, see
 * {@link LiveSourceOptions}.
 *
 * @example
 * ```js no-run
 * import { pipeline } from 'node:stream/promises';
 * import { captionWriter, mic, parakeet } from 'parakeet-stream';
 *
 * const microphone = mic();
 * process.once('SIGINT', () => microphone.stop());
 * await pipeline(microphone, parakeet(), captionWriter());
 * ```
 */
export function mic(options: MicOptions = {}): Microphone {
  known('mic', options, [...liveSourceKeys, 'device', 'library']);
  const { device } = options;
  const named = typeof device === 'string' && device !== '';
  const numbered = typeof device === 'number' && Number.isInteger(device) && device >= 0;
  if (device !== undefined && !named && !numbered)
    throw expected('the name or index of an input device', 'device', device);
  return new Microphone(options.library ?? recorderLibrary(), options);
}

/** The source that {@link mic} makes. */
export class Microphone extends LiveSource {
  readonly #library: RecorderLibrary;
  readonly #device: string | number | undefined;
  #recording: Recording | undefined;
  /** `performance.now()` at which the sound would have begun if none of it was lost. */
  #began: number | undefined;
  #overruns = 0;
  /** The first half of a sample. */
  #odd: Buffer = Buffer.alloc(0);
  #wanted = true;
  /** The next sound comes after a pause. */
  #resumed = false;
  #opening: Promise<void>;

  /** @internal */
  constructor(library: RecorderLibrary, options: MicOptions) {
    super(SAMPLE_RATE, options);
    this.#library = library;
    this.#device = options.device;
    this.#opening = this.#open();
  }

  /** True while sound arrives. */
  get recording(): boolean {
    return this.#recording !== undefined;
  }

  /** Pauses recording; the time until `resumeRecording()` will be silent. */
  suspend(): void {
    this.#wanted = false;
    const recording = this.#recording;
    this.#recording = undefined;
    recording?.stop();
  }

  /** Continues after `suspend()`. If the device has disappeared meanwhile, the stream fails. */
  resumeRecording(): void {
    if (this.#wanted || this.destroyed) return;
    this.#wanted = true;
    this.#resumed = true;
    this.#opening = this.#opening.then(() => this.#open());
  }

  /** Ends the sound; what was recorded is still emitted. */
  stop(): void {
    this.suspend();
    void this.#opening.then(() => this.endSound());
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.suspend();
    void this.#opening.then(() => callback(error));
  }

  async #open(): Promise<void> {
    let recording: Recording;
    try {
      recording = await this.#library.Microphone.open({
        sampleRate: SAMPLE_RATE,
        channels: 1,
        framesPerBuffer: BUFFER_SAMPLES,
        ...(this.#device !== undefined && { device: this.#device }),
      });
    } catch (error) {
      if (this.#wanted) this.failLate(this.#cannotRecord(error));
      return;
    }
    if (!this.#wanted) {
      recording.stop();
      return;
    }
    this.#recording = recording;
    this.#overruns = 0;
    recording.on('data', (bytes: Buffer) => this.#take(recording, bytes));
    recording.on('error', (error) => this.#fail(recording, error));
    recording.on('close', () => this.#fail(recording, new Error('it was closed')));
  }

  #take(recording: Recording, bytes: Buffer): void {
    if (this.#recording !== recording) return;
    const now = performance.now();
    const whole = this.#odd.length > 0 ? Buffer.concat([this.#odd, bytes]) : bytes;
    const samples = new Int16Array(whole.length >> 1);
    for (let i = 0; i < samples.length; i++) samples[i] = whole.readInt16LE(2 * i);
    this.#odd = whole.subarray(2 * samples.length);
    const start = now - (1000 * samples.length) / SAMPLE_RATE;
    if (this.#began === undefined) {
      this.#began = start;
      this.emit('recording', this.#device);
    }
    const behind = Math.round(((start - this.#began) / 1000 - this.time) * SAMPLE_RATE);
    // The clock alone cannot tell lost sound from late sound: the recorder counts what it dropped.
    const overruns = recording.overrunCount;
    if (overruns > this.#overruns) {
      this.fillGap(Math.max((overruns - this.#overruns) * BUFFER_SAMPLES, behind));
      this.#overruns = overruns;
    } else if (this.#resumed) this.silence(behind);
    this.#resumed = false;
    this.give(samples);
  }

  #fail(recording: Recording, error: Error): void {
    if (this.#recording !== recording) return;
    this.#recording = undefined;
    this.#wanted = false;
    this.failLate(this.#cannotRecord(error));
  }

  #cannotRecord(cause: unknown): AudioError {
    const device =
      this.#device === undefined ? 'the default input device' : `the input device '${this.#device}'`;
    // The library's own message, without the full stop.
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.+$/, '');
    return new AudioError(
      'ERR_PARAKEET_INVALID_AUDIO',
      `Expected to record from ${device} but could not: ${reason}. Check that it is connected (parakeet devices) and that this ` +
        "program may use it (on macOS: System Settings, Privacy, Microphone; on Linux: the group 'audio').",
      { cause },
    );
  }
}
