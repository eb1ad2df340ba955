/** A local file as bytes for `decode`: read as it is, or by ffmpeg from its name, since some containers need seeking. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { DecodeOptions } from '../transforms/decode.js';
import { containerProbe, PROBE_BYTES } from '../transforms/formats/containers.js';
import { isForFfmpeg } from '../transforms/formats/ffmpeg-marks.js';
import { ffmpeg } from './ffmpeg.js';

/** Which part of a sound file is heard. */
export type Excerpt = Pick<DecodeOptions, 'start' | 'duration' | 'stream'>;

/** The bytes, and what of the excerpt `decode` still has to cut out of them. */
export interface OpenedAudio {
  bytes: Readable;
  excerpt: Excerpt;
}

/** Opens a sound file for `decode` with `format`. @throws Node's own error for a file that cannot be opened. */
export async function openAudioFile(
  file: string | URL,
  format: DecodeOptions['format'],
  excerpt: Excerpt = {},
): Promise<OpenedAudio> {
  const plain = () => ({ bytes: createReadStream(file), excerpt });
  if (format !== undefined && format !== 'auto') return plain();
  // From its name ffmpeg can jump to the start.
  return (await needsFfmpeg(file, excerpt.stream ?? 0))
    ? { bytes: ffmpeg(file, excerpt), excerpt: {} }
    : plain();
}

async function needsFfmpeg(file: string | URL, stream: number): Promise<boolean> {
  const handle = await open(file);
  try {
    // A pipe with a name can be read only once, and cannot seek anyway.
    if (!(await handle.stat()).isFile()) return false;
    const mark = new Uint8Array(12);
    const { bytesRead } = await handle.read(mark, 0, mark.length, 0);
    if (!isForFfmpeg(mark.subarray(0, bytesRead))) return false;
    const probe = containerProbe(mark);
    if (!probe || stream > 0) return true;
    const { buffer, bytesRead: begun } = await handle.read(Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, 0);
    return probe(buffer.subarray(0, begun)) !== true;
  } finally {
    await handle.close();
  }
}
