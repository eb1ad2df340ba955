/**
 * Files that a worker needs for a while: a recording fetched from afar, and its decoded samples. They lie in one folder, which is removed at
 * the end; a worker that was killed leaves its folder to the system's cleaning of temporary files.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { InputOptions } from '../../audio/input-options.js';
import type { AudioChunk } from '../../events.js';
import { writeError } from '../../sinks/destination.js';
import { openAudio } from '../../sources/audio-source.js';
import { decode } from '../../transforms/decode.js';
import { resample } from '../../transforms/resample.js';
import { Once } from '../once.js';
import type { Content } from '../source/source.js';

/** Bytes that are collected for one write. */
const BLOCK = 1 << 18;

export class Scratch {
  readonly #folder: Once<string>;

  /** @param parent Where the folder is made; the system's folder for temporary files when missing. */
  constructor(parent = tmpdir()) {
    this.#folder = new Once(() => mkdtemp(path.join(parent, 'parakeet-work-')));
  }

  /** What `write` makes of the name of a new file, which it writes: there is no such file when it rejects. */
  async make<T>(ending: string, write: (file: string) => Promise<T>): Promise<T> {
    const file = path.join(await this.#folder.get(), `${randomUUID()}${ending}`);
    try {
      return await write(file);
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
  }

  async remove(): Promise<void> {
    const folder = await this.#folder.made();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/** Stores the bytes of a recording in `file`; `seen` gets them as they come. */
export async function fetchTo(
  file: string,
  content: Content,
  seen: (bytes: Uint8Array) => void,
  signal: AbortSignal,
): Promise<void> {
  const source = await content.stream(signal);
  source.on('data', seen);
  const target = createWriteStream(file);
  await untilClosed(target, pipeline(source, target, { signal }));
}

/** Decodes a local file to `file`: mono 32-bit floats at `rate`, in the machine's byte order. */
export async function decodeTo(
  file: string,
  recording: string,
  { rate, input, signal }: { rate: number; input: InputOptions; signal: AbortSignal },
): Promise<void> {
  const { format, track, start, duration } = input;
  const { bytes, excerpt } = await openAudio(recording, { format, track, start, duration });
  const { start: _, duration: __, track: ___, ...rest } = input;
  const target = asBytes(file);
  await untilClosed(
    target,
    pipeline(bytes, decode({ ...rest, ...excerpt }), resample(rate), target, { signal }),
  );
}

/** A pipeline that fails does not wait for its streams: a file that is still being opened would be made after its removal. */
async function untilClosed(target: Writable, written: Promise<void>): Promise<void> {
  try {
    await written;
  } finally {
    target.destroy();
    if (!target.closed) await new Promise((resolve) => target.once('close', resolve));
  }
}

/** A Writable of audio that collects it to large writes. */
function asBytes(file: string): Writable {
  const target = createWriteStream(file, { highWaterMark: 4 * BLOCK });
  // Each write is told of it.
  target.on('error', () => {});
  let pending: Uint8Array[] = [];
  let length = 0;
  const write = (callback: (error?: Error | null) => void) => {
    const block = Buffer.concat(pending);
    pending = [];
    length = 0;
    target.write(block, (error) => callback(error && writeError(file, error)));
  };
  return new Writable({
    objectMode: true,
    write({ channels }: AudioChunk, _encoding, callback) {
      const samples = channels[0] as Float32Array;
      pending.push(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
      length += samples.byteLength;
      if (length < BLOCK) callback();
      else write(callback);
    },
    final(callback) {
      write((error) => {
        if (error) callback(error);
        else target.end(callback);
      });
    },
    destroy(error, callback) {
      if (target.closed) callback(error);
      else target.once('close', () => callback(error)).destroy();
    },
  });
}
