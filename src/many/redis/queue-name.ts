/** The check of a queue's name, which becomes part of Redis' keys. */
import { expected } from '../../options.js';

/** @throws {@link ArgumentError} */
export function checkQueueName(name: unknown = 'parakeet'): string {
  if (typeof name === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  throw expected('1 to 64 letters, digits, "_" or "-"', 'name', name);
}
