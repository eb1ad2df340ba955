/** A local file as bytes for `decode`: read directly, or by ffmpeg from its name, since some containers need seeking. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { describe, type Recognised, Recogniser } from '../audio/formats/recognise.js';
import type { InputOptions } from '../audio/input-options.js';
import { openWithFfmpeg } from './ffmpeg.js';

/** Which part of a sound file is transcribed. */
export type Excerpt = Pick<InputOptions, 'start' | 'duration' | 'track'>;

/** The bytes, and what of the excerpt `decode` still has to cut out of them. */
export interface OpenedAudio {
  bytes: Readable;
  excerpt: Excerpt;
}

/** Opens a sound file for `decode` with `format`. @throws Node's own error for a file that cannot be opened. */
export async function openAudioFile(
  file: string | URL,
  format: InputOptions['format'],
  excerpt: Excerpt = {},
): Promise<OpenedAudio> {
  const plain = () => ({ bytes: createReadStream(file), excerpt });
  if (format !== undefined && format !== 'auto') return plain();
  // Given the name, ffmpeg can jump to the start, and read what it could not read from a pipe.
  const recognised = await recogniseFile(file);
  if (!recognised) return plain();
  const { kind, begun } = recognised;
  const several = kind === 'ogg-opus' || kind === 'webm-opus';
  if (kind === 'unknown') return { bytes: openWithFfmpeg(file, excerpt, describe(begun)), excerpt: {} };
  if (kind === 'ffmpeg' || (several && (excerpt.track ?? 0) > 0))
    return { bytes: openWithFfmpeg(file, excerpt), excerpt: {} };
  return plain();
}

/** Bytes that are read at a time. */
const BLOCK = 1 << 14;

/** What a file contains; undefined for one that cannot be read twice, or is empty. */
async function recogniseFile(file: string | URL): Promise<Recognised | undefined> {
  const handle = await open(file);
  try {
    // A named pipe can be read only once, and cannot seek anyway.
    if (!(await handle.stat()).isFile()) return undefined;
    const recogniser = new Recogniser();
    for (let at = 0; ; ) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, at);
      if (bytesRead === 0) return recogniser.end();
      const recognised = recogniser.push(buffer.subarray(0, bytesRead));
      if (recognised) return recognised;
      at += bytesRead + recogniser.skip;
      recogniser.skipped(recogniser.skip);
    }
  } finally {
    await handle.close();
  }
}
