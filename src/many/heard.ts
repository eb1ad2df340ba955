/**
 * What was heard of a recording, window by window, as text that can be kept or sent: tokens without their words, exactly as the engine gave
 * them. Words, sentences and formats are made of it later (render.ts).
 */
import type { NativeTokens } from '../engine/addon.js';
import type { HeardWindow } from '../recordings/window-tokens.js';

/** The tokens of one window: arrays of 32 bits a value, in base64. */
export interface StoredWindow {
  ids: string;
  starts: string;
  durations: string;
  confidences: string;
  computeSeconds: number;
}

/** All that is needed to write a recording's transcript. */
export interface HeardRecording {
  /** Samples in all, at the model's rate. */
  samples: number;
  windows: StoredWindow[];
}

export function storeWindow({ tokens, computeSeconds }: HeardWindow): StoredWindow {
  const { ids, starts, durations, confidences } = tokens;
  return {
    ids: base64(ids),
    starts: base64(starts),
    durations: base64(durations),
    confidences: base64(confidences),
    computeSeconds,
  };
}

export function tokensOf({ ids, starts, durations, confidences }: StoredWindow): NativeTokens {
  return {
    ids: new Int32Array(words(ids)),
    starts: new Int32Array(words(starts)),
    durations: new Int32Array(words(durations)),
    confidences: new Float32Array(words(confidences)),
  };
}

/** Whether a value read from a file or a queue has the shape of a window, every array with as many values. */
export function isStoredWindow(value: unknown): value is StoredWindow {
  if (typeof value !== 'object' || value === null) return false;
  const { ids, starts, durations, confidences, computeSeconds } = value as StoredWindow;
  const arrays = [ids, starts, durations, confidences];
  return (
    typeof computeSeconds === 'number' &&
    arrays.every((text) => typeof text === 'string' && text.length === (ids as string).length)
  );
}

function base64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** Decoded into memory of its own, which is aligned. */
function words(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, 'base64')).buffer;
}
