/**
 * A source: a microphone, or any input device of this machine. The device itself is recorder.ts's matter.
 */
import { AudioError, type ParakeetError } from '../errors.js';
import { expected, known } from '../options.js';
import { LiveSource, type LiveSourceOptions, liveSourceKeys } from './live-source.js';
import { type Recorder, type RecorderLibrary, recorderLibrary } from './recorder.js';

/** Options of {@link mic}. */
export interface MicOptions extends LiveSourceOptions {
  /** A device's name as {@link devices} gives it, a part of one, or its index. Default: the system's default device. */
  device?: string | number | undefined;
  /** Who records. Default: `@picovoice/pvrecorder-node`. @internal */
  library?: RecorderLibrary | undefined;
}

/** 32 ms at the 16 kHz that the recorder gives. */
const FRAME_SAMPLES = 512;
/** What the recorder itself holds while the event loop is busy: 3.2 s. */
const BUFFERED_FRAMES = 100;
/** Seconds by which the sound may be behind the clock before some of it must have been lost. */
const LOST_AFTER = (BUFFERED_FRAMES * FRAME_SAMPLES) / 16_000 + 0.5;

/** The names of the input devices. @throws {ParakeetError} `ERR_PARAKEET_MISSING_DEPENDENCY` without the package that records. */
export function devices(library: RecorderLibrary = recorderLibrary()): string[] {
  return library.getAvailableDevices();
}

/**
 * The sound of a microphone: `pipeline(mic(), parakeet(), captionWriter())`. 16 kHz, mono. Emits `gap` for sound that was lost.
 *
 * Recording begins at once and ends with `stop()` (the sound so far is still heard), `destroy()` or the signal. `suspend()` and
 * `resumeRecording()` leave a pause out: its time is filled with silence.
 *
 * @throws {ArgumentError} for a device that is not there. @throws {ParakeetError} `ERR_PARAKEET_MISSING_DEPENDENCY` without
 * `@picovoice/pvrecorder-node`. @throws {AudioError} `ERR_PARAKEET_INVALID_AUDIO` when the device cannot be opened: none there, or no
 * permission. Fails with the latter, after what was heard, when it goes away.
 */
export function mic(options: MicOptions = {}): Microphone {
  known('mic', options, [...liveSourceKeys, 'device', 'library']);
  const library = options.library ?? recorderLibrary();
  const recorder = openDevice(library, options.device);
  try {
    return new Microphone(recorder, options);
  } catch (error) {
    recorder.release();
    throw error;
  }
}

/** The source that {@link mic} makes. */
export class Microphone extends LiveSource {
  readonly #recorder: Recorder;
  /** The device's name. */
  readonly device: string;
  /** `performance.now()` at which the sound would have begun if no second of it was lost. */
  #began = 0;
  #recording = false;
  #released = false;
  #reading: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(recorder: Recorder, options: LiveSourceOptions) {
    super(recorder.sampleRate, options);
    this.#recorder = recorder;
    this.device = recorder.getSelectedDevice();
    try {
      recorder.start();
    } catch (error) {
      throw cannotRecord(this.device, error);
    }
    this.#began = performance.now();
    this.#recording = true;
    this.#reading = this.#read();
  }

  /** True while sound comes in. */
  get recording(): boolean {
    return this.#recording;
  }

  /** Stops recording for a while; the time until `resumeRecording()` will be silent. */
  suspend(): void {
    if (!this.#recording) return;
    this.#recording = false;
    this.#recorder.stop();
  }

  /** Goes on after `suspend()`. @throws {AudioError} when the device is gone meanwhile. */
  resumeRecording(): void {
    if (this.#recording || this.#released) return;
    const reading = this.#reading;
    try {
      this.#recorder.start();
    } catch (error) {
      throw cannotRecord(this.device, error);
    }
    this.#recording = true;
    this.#reading = reading.then(() => {
      this.silence(Math.round(this.#behind() * this.sampleRate));
      return this.#read();
    });
  }

  /** The sound ends here; what was recorded is still heard. */
  stop(): void {
    this.suspend();
    void this.#reading.then(() => {
      this.endSound();
      this.#release();
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.suspend();
    void this.#reading.then(() => {
      this.#release();
      callback(error);
    });
  }

  /** Seconds by which the sound is behind the clock. */
  #behind(): number {
    return (performance.now() - this.#began) / 1000 - this.time;
  }

  async #read(): Promise<void> {
    while (this.#recording) {
      let samples: Int16Array;
      try {
        samples = await this.#recorder.read();
      } catch (error) {
        // A read that `stop` interrupts fails too.
        if (this.#recording) {
          this.#recording = false;
          this.failLate(cannotRecord(this.device, error));
        }
        return;
      }
      const behind = this.#behind() - samples.length / this.sampleRate;
      if (behind > LOST_AFTER) this.fillGap(Math.round(behind * this.sampleRate));
      this.give(samples.slice());
    }
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#recorder.release();
  }
}

function openDevice(library: RecorderLibrary, device: string | number | undefined): Recorder {
  const index = device === undefined ? -1 : indexOf(library.getAvailableDevices(), device);
  try {
    return new library(FRAME_SAMPLES, index, BUFFERED_FRAMES);
  } catch (error) {
    throw cannotRecord(device === undefined ? 'the default device' : String(device), error);
  }
}

function indexOf(names: string[], device: string | number): number {
  const known =
    names.length === 0 ? 'There are none.' : `There are: ${names.map((name) => `'${name}'`).join(', ')}.`;
  if (typeof device === 'number') {
    if (Number.isInteger(device) && device >= 0 && device < names.length) return device;
    throw expected(`the index of an input device`, 'device', device, known);
  }
  if (typeof device !== 'string' || device === '')
    throw expected('the name or index of a device', 'device', device, known);
  const exact = names.indexOf(device);
  if (exact >= 0) return exact;
  const alike = names.flatMap((name, index) =>
    name.toLowerCase().includes(device.toLowerCase()) ? [index] : [],
  );
  if (alike.length === 1) return alike[0] as number;
  const what = alike.length === 0 ? 'the name of an input device' : 'a name that only one input device has';
  throw expected(what, 'device', device, known);
}

function cannotRecord(device: string, cause: unknown): ParakeetError {
  return new AudioError(
    'ERR_PARAKEET_INVALID_AUDIO',
    `Expected to record from ${device} but could not: ${cause instanceof Error ? cause.message : String(cause)}. ` +
      'Check that an input device is connected (parakeet devices) and that this program may use it ' +
      "(on macOS: System Settings, Privacy, Microphone; on Linux: the group 'audio').",
    { cause },
  );
}
