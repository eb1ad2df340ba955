/**
 * The stream around the native encoder: tickets, their bound, the end. When a step runs and what it sees is tested with the
 * engine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { EncodedChunk, MelChunk } from '../../src/events.js';
import { type Encode, encode } from '../../src/transforms/encode.js';
import { EncoderSession, MAX_TICKETS } from '../../src/transforms/encoder-session.js';
import { logMel } from '../../src/transforms/log-mel.js';
import { tdtDecode, tokenDecode } from '../../src/transforms/token-decode.js';
import { fakeModel } from '../support/fake-native.js';

/** `count` mel frames from `firstFrame` on. */
const mel = (firstFrame: number, count: number, samples?: number): MelChunk => ({
  data: new Float32Array(2 * count).fill(0.5),
  frames: count,
  features: 2,
  firstFrame,
  ...(samples === undefined ? {} : { end: { samples } }),
});

/** Reads tickets and gives each back, as a decoder does. */
async function tickets(stage: Encode): Promise<EncodedChunk[]> {
  const out: EncodedChunk[] = [];
  for await (const ticket of stage) {
    out.push(ticket);
    if (ticket.ticket >= 0) (ticket.session as EncoderSession).release();
  }
  return out;
}

const options = { chunk: 2, lookahead: 3 };

describe('tickets', () => {
  test('cover all frames without a gap; those after the end of the input carry its duration; the last has no frames', async () => {
    const model = fakeModel();
    const stage = encode(model, options);
    stage.write(mel(0, 100));
    stage.write(mel(100, 60));
    stage.end(mel(160, 0, 25_600));
    const out = await tickets(stage);
    let next = 0;
    for (const ticket of out) {
      expect(ticket.session).toBeInstanceOf(EncoderSession);
      expect(ticket.firstFrame).toBe(next);
      next += ticket.final;
    }
    expect(next).toBe(20);
    expect(out.at(-1)).toMatchObject({ ticket: -1, final: 0, draft: 0, end: { duration: 1.6 } });
    expect(out.at(-2)).toMatchObject({ end: { duration: 1.6 } });
    expect(out[0]?.end).toBeUndefined();
  });

  test('mel frames without an end are taken as all there was', async () => {
    const stage = encode(fakeModel(), options);
    stage.end(mel(0, 50));
    const out = await tickets(stage);
    expect(out.at(-1)?.end).toEqual({ duration: 0.5 });
  });

  test('no frames at all: only the end', async () => {
    const stage = encode(fakeModel(), options);
    stage.end(mel(0, 0, 0));
    expect(await tickets(stage)).toMatchObject([{ ticket: -1, firstFrame: 0, end: { duration: 0 } }]);
  });

  test('at most four are out at a time, and the stage stays open until they are back', async () => {
    const model = fakeModel();
    const stage = encode(model, { chunk: 1, lookahead: 0 });
    const seen: EncodedChunk[] = [];
    stage.on('data', (ticket) => seen.push(ticket));
    stage.end(mel(0, 800));
    await sleep(30);
    expect(model.counts.steps).toBe(MAX_TICKETS);
    expect(seen).toHaveLength(MAX_TICKETS);
    for (let given = 0; given < 100; given++) {
      ((seen[given] as EncodedChunk).session as EncoderSession).release();
      await sleep(0);
    }
    await sleep(20);
    expect(seen.at(-1)?.ticket).toBe(-1);
    expect(model.counts.steps).toBe(100);
    expect(model.counts.open).toBe(0);
  });

  test('destroy frees the session while tickets are out', async () => {
    const model = fakeModel();
    const stage = encode(model, options);
    stage.end(mel(0, 800));
    await sleep(20);
    stage.destroy();
    await new Promise((resolve) => stage.once('close', resolve));
    expect(model.counts).toMatchObject({ open: 0, busy: 0 });
  });
});

test('frames of another model are refused', async () => {
  const stage = encode(fakeModel(), options);
  stage.end({ data: new Float32Array(12), frames: 4, features: 3, firstFrame: 0 });
  await expect(tickets(stage)).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    message: expect.stringMatching(/2 mel features/),
  });
});

test.each([
  ['encode', () => encode({} as never)],
  ['logMel', () => logMel('model' as never)],
  ['tokenDecode', () => tokenDecode(undefined as never)],
  ['tdtDecode', () => tdtDecode(null as never)],
])('%s of something that is no model is refused', (name, make) => {
  expect(make).toThrow(
    expect.objectContaining({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringContaining(`the model of ${name}`),
    }),
  );
});
