/** Which failures another attempt may mend, and how long to wait before it. */
import { AbortedError, ArgumentError, DependencyError, ModelError } from '../errors.js';

/** Attempts at a recording or a window. */
export const DEFAULT_ATTEMPTS = 3;
/** Seconds before the second attempt; each pause is twice the one before. */
export const FIRST_PAUSE = 1;

/** Whether it fails in the same way however often it is tried. */
export function isPermanent(error: unknown): boolean {
  return [AbortedError, ArgumentError, DependencyError, ModelError].some((kind) => error instanceof kind);
}
