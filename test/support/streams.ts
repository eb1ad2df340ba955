/**
 * Small helpers for tests of streams: cutting input, collecting output with the error that came at the end.
 */
import { Readable, type Transform } from 'node:stream';
import { joined as concat } from '../../src/audio/samples.js';
import type { AudioChunk } from '../../src/events.js';

/** `bytes` in pieces of `size`. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(bytes.subarray(at, at + size));
  return out;
}

/** Everything that came out before the end or the error, and the error. */
export async function drain<T>(
  stream: AsyncIterable<T>,
): Promise<{ items: T[]; error: (Error & { code?: string }) | undefined }> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    return { items, error: error as Error & { code?: string } };
  }
  return { items, error: undefined };
}

/** Runs `inputs` through `stage`. */
export function through<T>(inputs: Iterable<unknown>, stage: Transform & AsyncIterable<T>) {
  const source = Readable.from(inputs);
  source.on('error', () => {});
  source.pipe(stage);
  return drain<T>(stage);
}

/** The samples of all chunks, one array per channel. */
export function joined(chunks: AudioChunk[]): Float32Array[] {
  const channels = chunks[0]?.channels.length ?? 0;
  return Array.from({ length: channels }, (_, channel) =>
    concat(chunks.map((chunk) => chunk.channels[channel] as Float32Array)),
  );
}
