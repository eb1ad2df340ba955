/** One test for a promise of conformance/promises.mjs, held against src/ with the bundled model. */
import { afterAll, beforeAll, test } from 'vitest';
import ours from '../../conformance/adapters/ours.mjs';
import { promises } from '../../conformance/promises.mjs';
import * as library from '../../src/index.js';

type Ours = Awaited<ReturnType<typeof ours>>;

export function keep(id: string): void {
  const found = promises.find((one) => one.id === id);
  if (!found) throw new Error(`Expected a promise but ${id} is none`);
  let adapter: Ours;
  beforeAll(async () => {
    adapter = await ours(library);
  });
  afterAll(() => adapter.close());
  test(found.promise, () => found.check(adapter));
}
