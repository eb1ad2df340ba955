/**
 * Keeps synchronous work short: code that works in pieces asks after each whether to yield to the event loop.
 */
import { performance } from 'node:perf_hooks';

/** Milliseconds of work after which the event loop goes first. */
const LONGEST_TURN = 3;

/** When the event loop last had a turn, while work is going on; undefined when there was no work since. */
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
