/**
 * A command line that makes no sense: exit code 2 and a pointer to the command's help. Failures at work are not this.
 */
export class UsageError extends Error {
  override name = 'UsageError';
  /** The command whose help says more, such as `parakeet models pull`. */
  command: string | undefined;
}
