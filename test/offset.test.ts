/** `offset`: a stream that is a later part of something longer. All its times are later, and nothing else is different. */
import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ParakeetOptions } from '../src/composition/options.js';
import { ArgumentError } from '../src/errors.js';
import type { TranscriptEvent } from '../src/events.js';
import { loadModel } from '../src/load-model.js';
import type { Model } from '../src/model.js';
import { parakeet } from '../src/parakeet.js';
import { shifted } from '../src/shift.js';

const recording = fileURLToPath(new URL('./audio/af_sky_10.flac', import.meta.url));
let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

async function events(options: ParakeetOptions): Promise<TranscriptEvent[]> {
  const found: TranscriptEvent[] = [];
  const line = createReadStream(recording).pipe(
    parakeet({ model, utterances: true, collect: true, ...options }),
  );
  for await (const event of line) if (event.type !== 'lag') found.push(event);
  // What it cost hangs on the machine.
  return found.map((event) => (event.type === 'end' ? { ...event, stats: {} as never } : event));
}

test.each(['live', 'file'] as const)('of a stream, mode %s', async (mode) => {
  const drafts = mode === 'live' ? { drafts: false } : {};
  const [plain, later] = [await events({ mode, ...drafts }), await events({ mode, ...drafts, offset: 100 })];
  expect(plain.length).toBeGreaterThan(5);
  expect(later).toEqual(plain.map((event) => shifted(event, 100)));
  const first = later.find((event) => event.type === 'token');
  expect(first?.token.start).toBeGreaterThanOrEqual(100);
  const end = later.at(-1);
  expect(end?.type === 'end' && end.result?.tokens[0]?.start).toBe(first?.token.start);
  expect(end?.type === 'end' && end.result?.sentences[0]?.words[0]?.start).toBe(first?.token.start);
});

test('of every event that has a time', () => {
  const span = { start: 1, end: 2 };
  const cases: TranscriptEvent[] = [
    { type: 'gap', ...span },
    { type: 'endOfUtterance', ...span, reason: 'end' },
    { type: 'progress', time: 1 },
    { type: 'speechStart', time: 1 },
    { type: 'speechEnd', time: 1 },
  ];
  for (const event of cases) {
    const moved = shifted(event, 10);
    expect(moved).toMatchObject('time' in event ? { time: 11 } : { start: 11, end: 12 });
    expect(moved.type).toBe(event.type);
  }
  expect(shifted({ type: 'lag', seconds: 3 }, 10)).toEqual({ type: 'lag', seconds: 3 });
});

test.each([-1, Number.NaN, '1'])('%j is refused', (offset) => {
  expect(() => parakeet({ offset: offset as number })).toThrow(ArgumentError);
});
