/** Things that a person should know although nothing failed: as Node's own warnings, which a program can listen for and silence. */

/**
 * Emits a process warning named `ParakeetWarning`.
 *
 * @param code Stable, as an error's.
 */
export function warn(code: `WARN_PARAKEET_${string}`, message: string): void {
  process.emitWarning(message, { type: 'ParakeetWarning', code });
}
