/**
 * The base class of the stages: backpressure, destroy, late failure. Real stages have tests of their own.
 */
import { type EventEmitter, once } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { Stage } from '../../src/transforms/stage.js';

/** Emits each number `copies` times; fails late at the number `breakAt`. */
class Repeat extends Stage<number, number> {
  emitted = 0;
  released = 0;
  constructor(
    private readonly copies: number,
    private readonly breakAt = Number.NaN,
  ) {
    super();
  }
  protected override async process(value: number): Promise<void> {
    if (value === this.breakAt) return this.failLate(new Error('input broke'));
    for (let i = 0; i < this.copies; i++) {
      this.emitted++;
      await this.emitOne(value);
    }
  }
  protected override async release(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.released++;
  }
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A sink that takes its time for each number, and remembers what it wrote. */
function slowSink(written: number[]) {
  return new Writable({
    objectMode: true,
    highWaterMark: 4,
    write(value: number, _encoding, callback) {
      setTimeout(() => {
        written.push(value);
        callback();
      }, 2);
    },
  });
}

describe('backpressure', () => {
  test('10,000 objects out of one stay behind the high-water mark until they are read', async () => {
    const stage = new Repeat(10_000);
    stage.end(1);
    await tick();
    expect(stage.emitted).toBeLessThanOrEqual(3);
    expect(stage.readableLength).toBeLessThanOrEqual(3);
    let read = 0;
    for await (const _ of stage) read++;
    expect(read).toBe(10_000);
  });

  test('holds when the input has already ended', async () => {
    const stage = new Repeat(100);
    stage.write(1);
    stage.write(2);
    stage.end();
    await tick();
    expect(stage.emitted).toBeLessThanOrEqual(3);
    expect(await stage.toArray()).toHaveLength(200);
  });
});

describe('destroy', () => {
  test('wakes a stage that waits for its reader, and closes after the state is freed', async () => {
    const stage = new Repeat(100);
    stage.write(1);
    await tick();
    stage.destroy();
    await once(stage, 'close');
    expect(stage.released).toBe(1);
  });

  test('frees the state after a normal end too', async () => {
    const stage = new Repeat(1);
    stage.end(1);
    await stage.toArray();
    await new Promise<void>((resolve) => (stage.closed ? resolve() : stage.once('close', resolve)));
    expect(stage.released).toBe(1);
  });

  test('an aborted signal destroys it with an AbortError', async () => {
    const aborter = new AbortController();
    class Idle extends Stage<number, number> {
      protected override async process(): Promise<void> {}
    }
    const stage = new Idle({ signal: aborter.signal });
    const failed = once(stage as EventEmitter, 'error');
    aborter.abort();
    expect((await failed)[0]).toMatchObject({ name: 'AbortError' });
  });
});

describe('late failure', () => {
  test('a pipeline rejects with the error after a slow sink has written all that came before', async () => {
    const written: number[] = [];
    const line = pipeline(
      Readable.from([1, 2, 3, 4, 0, 5]),
      new Repeat(3, 0),
      new PassThrough({ objectMode: true }),
      slowSink(written),
    );
    await expect(line).rejects.toThrow('input broke');
    expect(written).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
  });

  test('so does a failure at the very end, and one with nothing before it', async () => {
    for (const input of [[1, 0], [0]]) {
      const written: number[] = [];
      const line = pipeline(Readable.from(input), new Repeat(2, 0), slowSink(written));
      await expect(line).rejects.toThrow('input broke');
      expect(written).toEqual(input[0] === 1 ? [1, 1] : []);
    }
  });

  test('an endless source is stopped by it', async () => {
    let asked = 0;
    const endless = new Readable({
      objectMode: true,
      read() {
        setImmediate(() => this.push(asked++ < 2 ? 1 : 0));
      },
    });
    const line = pipeline(endless, new Repeat(1, 0), slowSink([]));
    await expect(line).rejects.toThrow('input broke');
    expect(endless.destroyed).toBe(true);
  });

  test('an iterator gets everything, then the error', async () => {
    const stage = new Repeat(3, 0);
    for (const value of [1, 2, 0]) stage.write(value);
    stage.end();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const value of stage) {
        await tick();
        seen.push(value);
      }
    })();
    await expect(reading).rejects.toThrow('input broke');
    expect(seen).toEqual([1, 1, 1, 2, 2, 2]);
  });

  test('a destination that is never ended does not keep the error back', async () => {
    const written: number[] = [];
    const stage = new Repeat(2, 0);
    stage.pipe(slowSink(written), { end: false });
    const failed = once(stage as EventEmitter, 'error');
    for (const value of [1, 0]) stage.write(value);
    expect((await failed)[0]).toMatchObject({ message: 'input broke' });
    expect(written).toEqual([1, 1]);
  });

  test('a destination behind others that is never ended gets everything first, too', async () => {
    const written: number[] = [];
    const stage = new Repeat(2, 0);
    const between = new PassThrough({ objectMode: true });
    stage.pipe(between).pipe(slowSink(written), { end: false });
    const failed = once(stage as EventEmitter, 'error');
    for (const value of [1, 2, 3, 0]) stage.write(value);
    await failed;
    expect(written).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test('of several destinations, the slowest is waited for; one that was unpiped is not', async () => {
    const [fast, slow, gone]: [number[], number[], number[]] = [[], [], []];
    const stage = new Repeat(1, 0);
    stage.pipe(new PassThrough({ objectMode: true })).pipe(slowSink(fast));
    stage.pipe(slowSink(slow), { end: false });
    const never = new Writable({ objectMode: true, write: (value: number) => void gone.push(value) });
    stage.pipe(never);
    stage.unpipe(never);
    const failed = once(stage as EventEmitter, 'error');
    for (const value of [1, 2, 3, 4, 5, 0]) stage.write(value);
    await failed;
    expect([fast, slow, gone]).toEqual([[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], []]);
  });

  test.each([true, false])(
    'a destination that closes before it has written all does not keep it back, end: %s',
    async (end) => {
      const stage = new Repeat(1, 0);
      const stuck = new Writable({ objectMode: true, write: () => {} });
      stage.pipe(stuck, { end });
      const failed = once(stage as EventEmitter, 'error');
      for (const value of [1, 0]) stage.write(value);
      await tick();
      expect(stage.destroyed).toBe(false);
      stuck.destroy();
      expect((await failed)[0]).toMatchObject({ message: 'input broke' });
    },
  );

  test('a destination has its own methods again when nothing is piped into it', async () => {
    const sink = slowSink([]);
    const stage = new Repeat(1);
    stage.pipe(sink, { end: false });
    expect(Object.hasOwn(sink, 'write')).toBe(true);
    stage.end(1);
    await once(stage, 'end');
    await tick();
    expect(Object.hasOwn(sink, 'write')).toBe(false);
    expect(sink.listenerCount('unpipe')).toBe(0);
  });

  test('a composition that takes it over gets a normal end', async () => {
    const stage = new Repeat(1, 0);
    let late: Error | undefined;
    stage.onLateFailure = (error) => {
      late = error;
    };
    for (const value of [1, 0, 2]) stage.write(value);
    stage.end();
    expect(await stage.toArray()).toEqual([1]);
    expect(late?.message).toBe('input broke');
  });
});
