/** A finished language model to its file: whole or not at all. */
import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { NativeLmFile } from '../engine/addon.js';
import { WriteError } from '../errors.js';
import { expected } from '../options.js';

/** What was written. */
export interface LanguageModelSummary {
  /** Size of the file. */
  bytes: number;
  /** Grams of one token, of two, and so on. */
  grams: number[];
}

/** The path of a file that is to be written. @throws {ArgumentError} */
export function checkTarget(target: unknown): string {
  if (target instanceof URL && target.protocol === 'file:') return fileURLToPath(target);
  if (typeof target === 'string' && target !== '') return target;
  throw expected('a path or a file: URL', 'target', target);
}

/** @throws {WriteError} when the system refuses. */
export async function writeLanguageModel(
  name: string,
  { file, grams }: NativeLmFile,
): Promise<LanguageModelSummary> {
  // Of this call alone: another one may write to the same place.
  const part = `${name}.${randomUUID()}.part`;
  try {
    await writeFile(part, file);
    await rename(part, name);
  } catch (cause) {
    throw new WriteError(
      'ERR_PARAKEET_WRITE',
      `Expected to write the language model to ${name} but the system refused: ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    await rm(part, { force: true });
  }
  return { bytes: file.length, grams };
}
