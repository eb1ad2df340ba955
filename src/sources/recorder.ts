/**
 * The recorder behind `mic()`: its interface, and the optional package that implements it, `decibri` (Apache-2.0; binaries for macOS, Linux
 * and Windows; it captures on threads of its own). Not `@picovoice/pvrecorder-node`, whose `read()` blocks the event loop.
 */
import type { Readable } from 'node:stream';
import { loadAddon } from '../engine/load-addon.js';
import { DependencyError, NativeError } from '../errors.js';
import { nodeRequire } from '../node-require.js';

/** An open input device: a Readable of s16le. */
export interface Recording extends Readable {
  /** Buffers that it dropped because nothing read them. */
  readonly overrunCount: number;
  stop(): void;
}

/** An input device of this machine. */
export interface InputDevice {
  index: number;
  name: string;
  isDefault: boolean;
}

/** The part of the package that is used. */
export interface RecorderLibrary {
  Microphone: {
    open(options: {
      sampleRate: number;
      channels: number;
      framesPerBuffer: number;
      device?: string | number;
    }): Promise<Recording>;
  };
  inputDevices(): InputDevice[];
}

/** @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` when it is not installed or does not load. */
export function recorderLibrary(): RecorderLibrary {
  try {
    const library = nodeRequire(import.meta.url)('decibri') as RecorderLibrary;
    silenceAlsa();
    return library;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new DependencyError(
      code === 'MODULE_NOT_FOUND' && message.includes("'decibri'")
        ? 'Expected the package decibri, which records from a microphone, but it is not installed. ' +
            'Install it: npm install decibri. Or pipe in the sound of another program, such as arecord or ffmpeg.'
        : `Expected the package decibri to load but it does not: ${message}`,
      { cause },
    );
  }
}

/** The recorder's error says what ALSA could not do; ALSA's own lines on stderr would come before that. */
function silenceAlsa(): void {
  try {
    loadAddon().silenceAlsa();
  } catch (error) {
    // Recording needs no addon; transcribing will report the error.
    if (!(error instanceof NativeError)) throw error;
  }
}
