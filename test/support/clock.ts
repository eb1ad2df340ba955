/**
 * Time in tests: a clock that a test moves by hand, and waiting until nothing happens any more, which is counted in turns of the event loop.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { vi } from 'vitest';

/** Stops all clocks and timers but not the event loop. Undo it with `vi.useRealTimers()`. */
export function stopClocks(): void {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
}

/** Lets `milliseconds` pass on stopped clocks, with some turns of the event loop after each. */
export async function pass(milliseconds: number): Promise<void> {
  for (let i = 0; i < milliseconds; i++) {
    vi.advanceTimersByTime(1);
    await turns(3);
  }
}

/** So many turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Waits until what `read` gives has stayed the same for 300 turns of the event loop. */
export async function untilQuiet(read: () => unknown): Promise<void> {
  let last = read();
  for (let same = 0; same < 300; same++) {
    await turn();
    const now = read();
    if (now !== last) same = 0;
    last = now;
  }
}
