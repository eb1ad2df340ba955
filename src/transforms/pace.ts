/**
 * Keeps synchronous work short: whoever works in pieces asks after each whether the event loop must have its turn.
 */
import { performance } from 'node:perf_hooks';

/** Milliseconds of work after which the event loop goes first. */
const LONGEST_TURN = 3;

/** When the event loop had its last turn, as far as work has gone on since; undefined when nobody has worked since. */
let began: number | undefined;

/** Notes the beginning of work. True when the work of all streams together has held the event loop for too long. */
export function turnIsOver(): boolean {
  const now = performance.now();
  if (began === undefined) {
    began = now;
    setImmediate(() => {
      began = undefined;
    });
    return false;
  }
  return now - began > LONGEST_TURN;
}

/** Resolves when the event loop has had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
