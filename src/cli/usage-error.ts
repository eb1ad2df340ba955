/**
 * A command line that cannot be understood: exit code 2, and a hint at `--help`. Failures while working are not this.
 */
export class UsageError extends Error {
  override name = 'UsageError';
}
