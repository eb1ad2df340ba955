/**
 * An invalid command line: exit code 2 and a pointer to the command's help. Not for failures during the work.
 */
export class UsageError extends Error {
  override name = 'UsageError';
  /** The command whose help says more, such as `parakeet models pull`. */
  command: string | undefined;
}
