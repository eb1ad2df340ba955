/** The order of work that is under way. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { InHand } from '../../src/many/in-hand.js';

const after = (value: number) => delay(5 * value, value);

test.each([
  ['begun', [3, 1, 2]],
  ['done', [1, 2, 3]],
] as const)('comes as it was %s', async (order, wanted) => {
  const inHand = new InHand<number>(order);
  for (const value of [3, 1, 2]) inHand.add(after(value));
  const got: number[] = [];
  while (inHand.size > 0) got.push(await inHand.next());
  expect(got).toEqual(wanted);
});

test.each(['begun', 'done'] as const)(
  'a failure comes in its turn, not before, in the order %s',
  async (order) => {
    const inHand = new InHand<number>(order);
    inHand.add(after(1));
    inHand.add(after(2).then(() => Promise.reject(new Error('two'))));
    inHand.add(after(3));
    await delay(30);
    expect(await inHand.next()).toBe(1);
    await expect(inHand.next()).rejects.toThrow('two');
    await inHand.settled();
    expect(inHand.size).toBe(1);
  },
);
