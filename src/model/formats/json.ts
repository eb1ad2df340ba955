/** JSON of a model's files, with errors that name the file. */
import { readFile } from 'node:fs/promises';
import { ModelError } from '../../errors.js';

export type Json = Record<string, unknown>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A file's JSON. @throws {@link ModelError} `ERR_PARAKEET_MODEL_NOT_FOUND`, `ERR_PARAKEET_INVALID_CONFIG`. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ModelError(
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      `Expected to read ${file} but the system refused: ${cause.message}`,
      { cause },
    );
  });
  return parseJson(text, file);
}

/** @throws {@link ModelError} `ERR_PARAKEET_INVALID_CONFIG` */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ModelError(
      'ERR_PARAKEET_INVALID_CONFIG',
      `Expected JSON in ${file} but it does not parse: ${(cause as Error).message}`,
      { cause },
    );
  }
}
