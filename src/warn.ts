/** Things that a user should know although nothing failed: emitted as Node's own warnings, which a program can listen for and silence. */

/**
 * Emits a process warning named `ParakeetWarning`.
 *
 * @param code Stable, like the code of an error.
 */
export function warn(code: `WARN_PARAKEET_${string}`, message: string): void {
  process.emitWarning(message, { type: 'ParakeetWarning', code });
}
