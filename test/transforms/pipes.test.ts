/** Pipes are watched by wrapping methods of their destinations: what others have put there stays, and all of it comes back. */
import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Pipes, settled } from '../../src/transforms/pipes.js';

function slow(done: unknown[]): Writable {
  return new Writable({
    objectMode: true,
    write(chunk, _encoding, callback) {
      setImmediate(() => {
        done.push(chunk);
        callback();
      });
    },
  });
}

/** Pipes `source` as our streams do. */
function follow(source: PassThrough): Pipes {
  const pipes = new Pipes(source);
  const pipe = source.pipe.bind(source);
  source.pipe = (to: NodeJS.WritableStream, options?: { end?: boolean }) => {
    pipes.add(to as Writable);
    return pipe(to, options) as never;
  };
  return pipes;
}

test('the methods of a destination are its own again when nothing is piped into it', () => {
  const [source, sink] = [new PassThrough({ objectMode: true }), slow([])];
  const own = () => Object.getOwnPropertyNames(sink).filter((name) => name === 'write' || name === 'pipe');
  follow(source);
  source.pipe(sink);
  expect(own()).toContain('write');
  source.unpipe(sink);
  expect(own()).toEqual([]);
});

test('a method that somebody else had put there comes back, and one that came later stays', () => {
  for (const later of [false, true]) {
    const [source, sink] = [new PassThrough({ objectMode: true }), slow([])];
    const patch = () => {
      const write = sink.write.bind(sink) as typeof sink.write;
      sink.write = ((...args: [unknown]) => write(...args)) as typeof sink.write;
      return sink.write;
    };
    const before = later ? undefined : patch();
    follow(source);
    source.pipe(sink);
    const after = later ? patch() : before;
    source.unpipe(sink);
    expect(sink.write).toBe(after);
  }
});

test('a destination that is never ended is settled when it has written what it got', async () => {
  const done: unknown[] = [];
  const source = new PassThrough({ objectMode: true });
  const pipes = follow(source);
  source.pipe(slow(done), { end: false });
  for (const chunk of ['a', 'b', 'c']) source.write(chunk);
  // Node unpipes a source that is over.
  const leaves = pipes.leaves();
  expect(leaves).toHaveLength(1);
  source.end();
  await Promise.all(leaves.map((leaf) => settled(leaf, new AbortController().signal)));
  expect(done).toEqual(['a', 'b', 'c']);
});

test('the far end of a chain counts, not the stream between', () => {
  const source = new PassThrough({ objectMode: true });
  const [between, sink] = [new PassThrough({ objectMode: true }), slow([])];
  const pipes = follow(source);
  source.pipe(between).pipe(sink);
  expect(pipes.leaves().map(({ destination }) => destination.stream)).toEqual([sink]);
});
