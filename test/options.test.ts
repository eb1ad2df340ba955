/** Messages of refused options: one short line, whatever was given. */
import { expect, test } from 'vitest';
import { expected } from '../src/options.js';

test.each([
  [new Int16Array(1600), 'Int16Array(1600)'],
  [Buffer.alloc(320), 'Buffer(320)'],
  [new ArrayBuffer(32), 'ArrayBuffer of 32 bytes'],
  [new DataView(new ArrayBuffer(32)), 'DataView of 32 bytes'],
  [Array.from({ length: 1000 }, () => 0), '[ 0, 0, 0, 0, 0, 0, 0, 0, ... 992 more items ]'],
])('long values are shown by their kind', (value, shown) => {
  expect(expected('a word', 'name', value).message).toBe(
    `Expected a word for name but received ${shown} of type object`,
  );
});
