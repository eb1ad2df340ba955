/**
 * How long a recording is, for the progress: from the header of the formats that are read here. What is not known is not guessed.
 */
import { open } from 'node:fs/promises';
import type { Values } from './cli-option.js';

/** Enough for a header with some metadata before the sound. */
const HEAD = 1 << 16;

/** Seconds that will be transcribed of `input`, or `undefined` when its length is not known. */
export async function audioLength(input: string, { start, duration }: Values): Promise<number | undefined> {
  const whole = await headerLength(input).catch(() => undefined);
  const from = typeof start === 'number' ? start : 0;
  const most = typeof duration === 'number' ? duration : Number.POSITIVE_INFINITY;
  if (whole === undefined) return undefined;
  return Math.max(0, Math.min(whole - from, most));
}

async function headerLength(file: string): Promise<number | undefined> {
  const handle = await open(file);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return undefined;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD), 0, HEAD, 0);
    const head = buffer.subarray(0, bytesRead);
    const mark = head.toString('latin1', 0, 4);
    if (mark === 'fLaC') return flacLength(head);
    return /^(RIFF|RF64|BW64)$/.test(mark) ? wavLength(head, stats.size) : undefined;
  } finally {
    await handle.close();
  }
}

/** STREAMINFO is the first block: 20 bits of rate, 3 of channels, 5 of width, 36 of samples. */
function flacLength(head: Buffer): number | undefined {
  const rate = head.readUIntBE(18, 3) >> 4;
  const samples = (head.readUInt8(21) & 15) * 2 ** 32 + head.readUInt32BE(22);
  return rate > 0 && samples > 0 ? samples / rate : undefined;
}

/** The bytes after the header by the bytes a second; what a header says of its own size may be wrong. */
function wavLength(head: Buffer, size: number): number | undefined {
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= head.length; ) {
    const id = head.toString('latin1', at, at + 4);
    const length = head.readUInt32LE(at + 4);
    if (id === 'fmt ' && at + 20 <= head.length) bytesPerSecond = head.readUInt32LE(at + 16);
    if (id === 'data')
      return bytesPerSecond > 0 ? Math.min(length || size, size - at - 8) / bytesPerSecond : undefined;
    at += 8 + length + (length % 2);
  }
  return undefined;
}
