/**
 * Ctrl-C for a command: the first one asks it to come to its end, the second one stops it at once.
 */
import { AbortedError } from '../errors.js';
import type { Terminal } from './terminal.js';

export interface Interrupt {
  /** Aborted by the second Ctrl-C, or by the first when there is nothing to end. */
  signal: AbortSignal;
  /** How many came. */
  readonly count: number;
  /** Stops listening. */
  dispose(): void;
}

/** `onFirst`: what ends the work in good order; without it the first Ctrl-C stops at once. */
export function onInterrupt(terminal: Terminal, onFirst?: () => void): Interrupt {
  const controller = new AbortController();
  let count = 0;
  const listener = () => {
    count++;
    if (count === 1 && onFirst !== undefined) onFirst();
    else controller.abort(new AbortedError('Interrupted'));
  };
  terminal.on('SIGINT', listener);
  return {
    signal: controller.signal,
    get count() {
      return count;
    },
    dispose: () => terminal.off('SIGINT', listener),
  };
}
