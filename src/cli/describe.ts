/** An error in one line for the terminal. */
import { ParakeetError } from '../errors.js';

/** The code and the message of an error; for one that is not ours, the system's code. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code =
    error instanceof ParakeetError ? error.code : ((error as NodeJS.ErrnoException).code ?? error.name);
  return error.message.startsWith(`${code}:`) ? error.message : `${code}: ${error.message}`;
}
