/**
 * The recorder behind `mic()`: what is asked of it, and the optional package that does it, `@picovoice/pvrecorder-node` (Apache-2.0;
 * binaries for macOS, Linux and Windows in its tarball).
 */
import { createRequire } from 'node:module';
import { ParakeetError } from '../errors.js';

/** An open input device. */
export interface Recorder {
  readonly sampleRate: number;
  start(): void;
  stop(): void;
  /** The next samples; rejects when the device is gone. */
  read(): Promise<Int16Array>;
  release(): void;
  getSelectedDevice(): string;
}

/** What the package exports. */
export interface RecorderLibrary {
  new (frameLength: number, deviceIndex: number, bufferedFramesCount: number): Recorder;
  getAvailableDevices(): string[];
}

/** @throws {ParakeetError} `ERR_PARAKEET_MISSING_DEPENDENCY` when it is not installed or does not load. */
export function recorderLibrary(): RecorderLibrary {
  try {
    const { PvRecorder } = createRequire(import.meta.url)('@picovoice/pvrecorder-node') as {
      PvRecorder: RecorderLibrary;
    };
    return PvRecorder;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    throw new ParakeetError(
      'ERR_PARAKEET_MISSING_DEPENDENCY',
      missing
        ? 'Expected the package @picovoice/pvrecorder-node, which records from a microphone, but it is not installed. ' +
            'Install it: npm install @picovoice/pvrecorder-node. Or pipe in the sound of another program, such as arecord or ffmpeg.'
        : `Expected @picovoice/pvrecorder-node to load but it does not: ${(cause as Error).message}`,
      { cause },
    );
  }
}
