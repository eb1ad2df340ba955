/**
 * One stream of events into several sinks.
 */
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ArgumentError } from '../../src/errors.js';
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
      if (time === options.failAt) return done(new Error('full'));
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
