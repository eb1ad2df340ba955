/**
 * Walks over the structure of a container: from heading to heading, whether its bytes arrive one after the other or lie in a file
 * where the walk can jump. A walk finds out what the bytes alone do not show: whether the file is complete, and whether it can be
 * read without seeking. It decodes nothing.
 */
import type { FileHandle } from 'node:fs/promises';
import { AudioError } from '../../errors.js';

/** What a walk asks for: pass over `skip` bytes, then hand it `take` bytes (fewer where the input ends). */
export interface Step {
  skip: number;
  take: number;
}

/** What a walk has found so far. */
export interface Findings {
  /** True when the audio comes before the index that it needs: such a file cannot be read from a pipe. Undefined: not known yet. */
  needsSeeking?: boolean;
  /** Bytes of the whole, where they are known in advance. */
  size?: number;
  /** What is missing at the end, for an error message. Set when the walk is over. */
  missing?: string;
  /** What follows the file that ffmpeg reads, for an error message. */
  more?: string;
}

/** The error for a file that is incomplete, or followed by more data. */
export function wrongLength({ missing, more }: Findings): AudioError | undefined {
  if (missing !== undefined) {
    return broken(`Expected a whole file but it ends without ${missing}. Check that the file is complete.`);
  }
  return more === undefined
    ? undefined
    : broken(`Expected a single file but there is ${more}. Split them first.`);
}

function broken(message: string): AudioError {
  return new AudioError('ERR_PARAKEET_INVALID_AUDIO', message);
}

/** Reads a container's headings, and writes what it learns into its `Findings`. */
export type Walk = Generator<Step, void, Uint8Array>;
/** Makes a walk. */
export type Walker = (findings: Findings) => Walk;

/** The most that a walk may ask for at once. */
const LONGEST_HEADING = 1 << 16;

/** Walks over bytes as they arrive. */
export class StreamWalk {
  readonly findings: Findings = {};
  readonly #walk: Walk;
  #skip = 0;
  #take = 0;
  #held: Uint8Array = new Uint8Array(0);
  #over = false;

  constructor(walker: Walker) {
    this.#walk = walker(this.findings);
    this.#follow(this.#walk.next());
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; !this.#over; ) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      const piece = bytes.subarray(at, at + this.#take - this.#held.length);
      if (this.#skip > 0 || (piece.length === 0 && this.#held.length < this.#take)) return;
      at += piece.length;
      this.#held = this.#held.length === 0 ? piece.slice() : Buffer.concat([this.#held, piece]);
      if (this.#held.length < this.#take) return;
      this.#answer();
    }
  }

  /** The input is over. */
  end(): void {
    // Each answer is shorter than requested, so the walk ends; one that skips past the end gets nothing.
    while (!this.#over) {
      if (this.#skip > 0) this.#held = new Uint8Array(0);
      this.#answer();
    }
  }

  #answer(): void {
    const held = this.#held;
    this.#held = new Uint8Array(0);
    this.#follow(this.#walk.next(held));
  }

  #follow({ done, value }: IteratorResult<Step, void>): void {
    this.#over = done === true;
    this.#skip = value?.skip ?? 0;
    this.#take = Math.min(value?.take ?? 0, LONGEST_HEADING);
  }
}

/** Walks over a file, from heading to heading. */
export async function walkFile(walker: Walker, file: FileHandle): Promise<Findings> {
  const { size } = await file.stat();
  const findings: Findings = { size };
  const walk = walker(findings);
  // Headings often lie close together.
  const block = Buffer.alloc(LONGEST_HEADING);
  let blockAt = 0;
  let blockLength = 0;
  let at = 0;
  for (let step = walk.next(); !step.done; ) {
    at = Math.min(size, at + step.value.skip);
    const length = Math.min(size - at, step.value.take, LONGEST_HEADING);
    if (at < blockAt || at + length > blockAt + blockLength) {
      blockAt = at;
      ({ bytesRead: blockLength } = await file.read(block, 0, block.length, at));
    }
    const bytes = block.subarray(at - blockAt, Math.min(at - blockAt + length, blockLength));
    at += bytes.length;
    step = walk.next(bytes);
  }
  return findings;
}
