/** A live transcript that is moved: the events of both parts are those of one that was never disturbed. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  loadModel,
  type Model,
  type MovableStream,
  movableStream,
  moveStream,
  parakeet,
  type TranscriptEvent,
} from '../../src/index.js';
import { samplesOf } from '../support/samples.js';
import { parted } from '../support/speech.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

const rules = { utterances: true, sentences: { maxDuration: 5, maxGap: 0.6 } } as const;

async function sound(rate: number): Promise<Buffer> {
  const samples = await samplesOf('jfk.flac', rate);
  return Buffer.from(Int16Array.from(samples, (value) => Math.round(value * 32_767)).buffer);
}

/** Everything but drafts and figures. */
async function finals(stream: AsyncIterable<TranscriptEvent>): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  for await (const event of stream) if (!['draft', 'end', 'lag'].includes(event.type)) events.push(event);
  return events;
}

async function write(stream: MovableStream, bytes: Buffer, piece: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += piece)
    await new Promise((resolve) => stream.write(bytes.subarray(at, at + piece), resolve));
}

test('undisturbed, its finals are those of parakeet()', async () => {
  const bytes = await sound(16_000);
  const other = parakeet({ model, ...rules, input: { format: 's16le', sampleRate: 16_000 } });
  other.end(bytes);
  // One after the other: what runs beside a stream may change the last bits of its confidences.
  const expected = await finals(other);
  const stream = movableStream(model, { sampleRate: 16_000, ...rules });
  const [own] = await Promise.all([finals(stream), write(stream, bytes, 3201).then(() => stream.end())]);
  expect(parted(own)).toEqual(parted(expected));
  expect(own.filter(({ type }) => type === 'sentence').length).toBeGreaterThan(1);
});

test.each([16_000, 44_100])('moved at any moment, twice, at %i Hz', async (rate) => {
  const bytes = await sound(rate);
  const whole = movableStream(model, { sampleRate: rate, ...rules });
  const [undisturbed] = await Promise.all([finals(whole), write(whole, bytes, 8000).then(() => whole.end())]);
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 0.05, max: 0.95, noNaN: true }), fc.boolean(), async (place, late) => {
      const cut = Math.floor(bytes.length * place);
      const first = movableStream(model, { sampleRate: rate, ...rules });
      const heard: TranscriptEvent[] = [];
      first.on('data', (event: TranscriptEvent) => heard.push(event));
      await write(first, bytes.subarray(0, cut), 8000);
      const { bytes: snapshot, soundFrom } = await first.snapshot();
      await setImmediate();
      const at = heard.length;
      // The first server lives on for a while: what it says then is said again.
      if (late) await write(first, bytes.subarray(cut, cut + 40_000), 8000);
      first.destroy();
      const kept = heard.slice(0, at).filter(({ type }) => type !== 'draft');
      const second = moveStream(model, snapshot);
      expect(soundFrom).toBeLessThanOrEqual(cut);
      const [rest] = await Promise.all([
        finals(second),
        write(second, bytes.subarray(soundFrom), 5000).then(() => second.end()),
      ]);
      expect(parted([...kept, ...rest])).toEqual(parted(undisturbed));
    }),
    { numRuns: 6 },
  );
});

test('sound in odd pieces in memory that is used again is the same', async () => {
  const bytes = await sound(16_000);
  const [one, other] = [
    movableStream(model, { sampleRate: 16_000 }),
    movableStream(model, { sampleRate: 16_000 }),
  ];
  const [wanted] = await Promise.all([finals(one), write(one, bytes, 8000).then(() => one.end())]);
  const reused = Buffer.alloc(7777);
  const inPieces = async () => {
    for (let at = 0; at < bytes.length; at += reused.length) {
      const length = bytes.copy(reused, 0, at);
      await new Promise((resolve) => other.write(reused.subarray(0, length), resolve));
      reused.fill(0x55);
    }
    other.end();
  };
  const [got] = await Promise.all([finals(other), inPieces()]);
  expect(parted(got)).toEqual(parted(wanted));
});

test('flush() and snapshot() are behind all that was written', async () => {
  const bytes = await sound(16_000);
  const heard = async (wait: boolean) => {
    const stream = movableStream(model, { sampleRate: 16_000 });
    let text = '';
    stream.on('data', (event: TranscriptEvent) => {
      if (event.type === 'token') text += event.token.text;
    });
    for (let at = 0; at < bytes.length; at += 8000) {
      const piece = bytes.subarray(at, at + 8000);
      if (wait) await new Promise((resolve) => stream.write(piece, resolve));
      else stream.write(piece);
    }
    const [{ seconds }] = await Promise.all([stream.snapshot(), stream.flush()]);
    expect(seconds).toBe(bytes.length / 2 / 16_000);
    stream.destroy();
    await expect(stream.flush()).rejects.toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
    return text;
  };
  expect(await heard(false)).toBe(await heard(true));
});

test('flush() and snapshot() of a stream that is destroyed before their turn reject', async () => {
  const bytes = await sound(16_000);
  const stream = movableStream(model, { sampleRate: 16_000 });
  for (let at = 0; at < bytes.length; at += 8000) stream.write(bytes.subarray(at, at + 8000), () => {});
  const waiting = [stream.flush(), stream.snapshot()];
  stream.destroy();
  for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
});

test('without drafts none is decoded, and a snapshot does not grow with what was said', async () => {
  const bytes = await sound(16_000);
  const create = vi.spyOn(model.native, 'createDecoder');
  const stream = movableStream(model, { sampleRate: 16_000, drafts: false });
  const [made] = create.mock.results;
  create.mockRestore();
  const decode = vi.spyOn((made as { value: { decode(...values: unknown[]): unknown } }).value, 'decode');
  stream.resume();
  const lengths: number[] = [];
  for (let times = 0; times < 3; times++) {
    await write(stream, bytes, 8000);
    await stream.flush();
    lengths.push((await stream.snapshot()).bytes.length);
  }
  stream.destroy();
  expect(decode.mock.calls.length).toBeGreaterThan(10);
  expect(decode.mock.calls.every(([, , drafts]) => drafts === false)).toBe(true);
  // About twenty tokens of a hundred bytes each would come with each repetition.
  expect((lengths[2] as number) - (lengths[1] as number)).toBeLessThan(500);
});

test('a snapshot that is none, or cut short, is refused', async () => {
  const stream = movableStream(model, { sampleRate: 16_000 });
  const { bytes: snapshot } = await stream.snapshot();
  stream.destroy();
  const changed = (at: number) => snapshot.map((byte, i) => (i === at ? byte ^ 1 : byte));
  // The first byte of the rate among them, with which it would be another transcript.
  const digit = Buffer.from(snapshot).indexOf('16000');
  const damaged = [changed(0), changed(10), changed(digit), changed(snapshot.length - 1)];
  for (const bytes of [new Uint8Array(3), snapshot.subarray(0, 20), snapshot.subarray(0, -1), ...damaged])
    expect(() => moveStream(model, bytes)).toThrow(
      expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_SNAPSHOT' }),
    );
  await expect(stream.snapshot()).rejects.toMatchObject({ code: 'ERR_PARAKEET_CLOSED' });
});
