/**
 * One stream of events into several sinks.
 */
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ArgumentError, LagError } from '../../src/errors.js';
import type { TranscriptEvent } from '../../src/events.js';
import { teeWriter } from '../../src/sinks/tee-writer.js';

const event = (time: number) => ({ type: 'progress' as const, time });

/** A sink that remembers what it got, and may be slow or fail at an event. */
function sink(options: { delay?: number; failAt?: number } = {}) {
  const got: number[] = [];
  const stream = new Writable({
    objectMode: true,
    highWaterMark: 2,
    async write({ time }: { time: number }, _encoding, done) {
      if (options.delay) await sleep(options.delay);
      if (options.failAt !== undefined && time === options.failAt) return done(new Error('full'));
      got.push(time);
      done();
    },
  });
  return { stream, got };
}

test('every sink gets every event in order, and ends', async () => {
  const [fast, slow] = [sink(), sink({ delay: 2 })];
  const tee = teeWriter(fast.stream, slow.stream);
  const written = Array.from({ length: 20 }, (_, i) => i);
  for (const time of written) tee.write(event(time));
  await new Promise<void>((resolve) => tee.end(resolve));
  expect(fast.got).toEqual(written);
  expect(slow.got).toEqual(written);
  expect(fast.stream.writableFinished && slow.stream.writableFinished).toBe(true);
});

test('the slowest sink sets the pace', async () => {
  const [fast, slow] = [sink(), sink({ delay: 50 })];
  const tee = teeWriter(fast.stream, slow.stream);
  for (let time = 0; time < 10; time++) tee.write(event(time));
  await sleep(20);
  expect(fast.got).toEqual([0]);
  tee.destroy();
});

test('a sink that fails fails the tee and closes the others', async () => {
  const [good, bad] = [sink(), sink({ failAt: 1 })];
  const tee = teeWriter(good.stream, bad.stream);
  const error = new Promise((resolve) => tee.once('error', resolve));
  for (let time = 0; time < 5; time++) tee.write(event(time));
  expect(await error).toMatchObject({ message: 'full' });
  expect(good.stream.destroyed).toBe(true);
  expect(good.got[0]).toBe(0);
});

describe('a slow sink with a policy of its own', () => {
  const draft = (n: number, speaker?: string): TranscriptEvent => ({
    type: 'draft',
    tokens: [],
    text: String(n),
    revision: n,
    ...(speaker === undefined ? {} : { speaker }),
  });
  const token = (id: number): TranscriptEvent => ({
    type: 'token',
    token: { id, text: ` ${id}`, start: id, end: id, duration: 0, confidence: 1 },
  });

  /** A sink that takes an event only when told. */
  function held() {
    const got: TranscriptEvent[] = [];
    let release: (() => void) | undefined;
    const stream = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(event: TranscriptEvent, _encoding, done) {
        got.push(event);
        release = () => done();
      },
    });
    const step = async () => {
      release?.();
      await sleep(1);
    };
    return { stream, got, step };
  }

  const write = (tee: Writable, event: TranscriptEvent) =>
    Promise.race([
      new Promise<boolean>((resolve) => tee.write(event, () => resolve(true))),
      sleep(20).then(() => false),
    ]);

  test('dropDrafts: the newest draft of a speaker is kept, and no final is lost', async () => {
    const [fast, slow] = [sink(), held()];
    const tee = teeWriter(fast.stream, { sink: slow.stream, lag: 'dropDrafts' });
    const events = [token(0), draft(1), draft(2, 'Ben'), token(1), draft(3), draft(4), token(2)];
    for (const event of events) expect(await write(tee, event)).toBe(true);
    expect(fast.got).toHaveLength(events.length);
    expect(slow.got).toHaveLength(1);
    const ended = new Promise<void>((resolve) => tee.end(resolve));
    for (let i = 0; i < events.length; i++) await slow.step();
    await ended;
    expect(slow.got).toEqual([token(0), draft(2, 'Ben'), token(1), draft(4), token(2)]);
  });

  test('dropDrafts: all wait when maxQueue finals wait', async () => {
    const slow = held();
    const tee = teeWriter({ sink: slow.stream, lag: 'dropDrafts', maxQueue: 2 });
    for (let i = 0; i < 3; i++) expect(await write(tee, token(i))).toBe(true);
    expect(await write(tee, token(3))).toBe(false);
    await slow.step();
    expect(await write(tee, draft(1))).toBe(true);
    tee.destroy();
  });

  test('drop: a sink that cannot keep up is given up with an error that says what it lost; the others go on', async () => {
    const [good, slow] = [sink(), held()];
    const tee = teeWriter(good.stream, { sink: slow.stream, lag: 'drop', maxQueue: 3 });
    const failed = new Promise<Error>((resolve) => tee.once('error', resolve));
    for (let i = 0; i < 10; i++) expect(await write(tee, token(i))).toBe(true);
    expect(slow.stream.destroyed).toBe(true);
    tee.end();
    const error = await failed;
    expect(error).toBeInstanceOf(LagError);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_LAG' });
    expect(error.message).toMatch(/4 of them final/);
    expect(good.got).toHaveLength(10);
    expect(good.stream.writableFinished).toBe(true);
  });

  test('drop: drafts alone never give it up', async () => {
    const slow = held();
    const tee = teeWriter({ sink: slow.stream, lag: 'drop', maxQueue: 1 });
    for (let i = 0; i < 20; i++) expect(await write(tee, draft(i))).toBe(true);
    expect(slow.stream.destroyed).toBe(false);
    const ended = new Promise<void>((resolve) => tee.end(resolve));
    for (let i = 0; i < 3; i++) await slow.step();
    await ended;
    expect(slow.got).toEqual([draft(0), draft(19)]);
  });

  test('drop: a sink that fails of itself leaves the others alone, and fails the tee at the end', async () => {
    const [good, bad] = [sink(), sink({ failAt: 1 })];
    const tee = teeWriter(good.stream, { sink: bad.stream, lag: 'drop' });
    const failed = new Promise<Error>((resolve) => tee.once('error', resolve));
    for (let time = 0; time < 5; time++) tee.write(event(time));
    tee.end();
    expect(await failed).toMatchObject({ message: 'full' });
    expect(good.got).toEqual([0, 1, 2, 3, 4]);
    expect(good.stream.writableFinished).toBe(true);
  });

  test('a policy that there is not is refused', () => {
    const { stream } = sink();
    expect(() => teeWriter({ sink: stream, lag: 'skip' as 'drop' })).toThrow(/'dropDrafts'/);
    expect(() => teeWriter({ sink: stream, maxQueue: 0 })).toThrow(/maxQueue/);
  });
});

test('destroying it destroys them', async () => {
  const [a, b] = [sink(), sink()];
  const tee = teeWriter(a.stream, b.stream);
  tee.destroy();
  await new Promise((resolve) => tee.once('close', resolve));
  expect(a.stream.destroyed && b.stream.destroyed).toBe(true);
});

test('something else than sinks is refused', () => {
  expect(() => teeWriter()).toThrow(ArgumentError);
  expect(() => teeWriter({} as Writable)).toThrow(ArgumentError);
});
