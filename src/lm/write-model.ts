/** A finished language model to its file: whole or not at all. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { NativeLmFile } from '../engine/addon.js';
import { WriteError } from '../errors.js';

/** What was written. */
export interface LanguageModelSummary {
  /** Size of the file. */
  bytes: number;
  /** Grams of one token, of two, and so on. */
  grams: number[];
}

/** @throws {WriteError} when the system refuses. */
export async function writeLanguageModel(
  target: string | URL,
  { file, grams }: NativeLmFile,
): Promise<LanguageModelSummary> {
  const name = target instanceof URL ? fileURLToPath(target) : target;
  const part = `${name}.part`;
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
