/**
 * Where a stream is piped to, and whether what was piped there has been written: Node reports neither. It knows nothing of failures.
 *
 * What a destination does shows only in its methods: `pipe` names the next stream, and the callback of `write` says that a chunk is
 * done. Both are wrapped while something is piped into it, and whatever was there before comes back afterwards.
 */
import { finished, type Readable, type Writable } from 'node:stream';

type Callback = (error?: Error | null) => void;

/** A stream that data is piped into, possibly from several sources. */
class Destination {
  static readonly #all = new WeakMap<Writable, Destination>();
  readonly #pipes: Pipes;
  readonly #watchers = new Set<() => void>();
  #sources = 0;
  #unwrap: (() => void)[] = [];

  private constructor(readonly stream: Writable) {
    this.#pipes = new Pipes(stream as Writable & Partial<Readable>);
  }

  static of(stream: Writable): Destination {
    const known = Destination.#all.get(stream);
    if (known) return known;
    const made = new Destination(stream);
    Destination.#all.set(stream, made);
    return made;
  }

  /** The streams at the far end behind it: itself, if it is not piped. */
  leaves(source: Partial<Readable>): Leaf[] {
    const further = this.#pipes.leaves();
    return further.length > 0 ? further : [{ destination: this, source }];
  }

  /** Another source is piped into it: from now on its methods are watched. */
  join(): void {
    if (this.#sources++ > 0) return;
    const { stream } = this;
    const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
    const watched = (chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback) => {
      const given = typeof encoding === 'function' ? encoding : callback;
      const done: Callback = (error) => {
        for (const watcher of [...this.#watchers]) watcher();
        given?.(error);
      };
      return typeof encoding === 'string' ? write(chunk, encoding, done) : write(chunk, done);
    };
    this.#unwrap.push(wrap(stream, 'write', watched));
    const duplex = stream as Writable & Partial<Readable>;
    const pipe = duplex.pipe?.bind(stream);
    if (!pipe || duplex.readable === undefined) return;
    const followed = (to: Writable, options?: { end?: boolean }) => {
      this.#pipes.add(to);
      return pipe(to, options);
    };
    this.#unwrap.push(wrap(stream, 'pipe', followed));
  }

  /** A source was unpiped; the watch ends with the last one. Pipes that continue are still known. */
  leave(): void {
    if (--this.#sources > 0) return;
    for (const unwrap of this.#unwrap.splice(0)) unwrap();
  }

  /** Calls `watcher` whenever a write is done, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Puts `method` in front of the stream's own; returns a function that undoes it, unless somebody has wrapped ours since. */
function wrap(stream: Writable, name: 'write' | 'pipe', method: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(stream, name);
  Object.defineProperty(stream, name, { value: method, configurable: true, writable: true });
  return () => {
    if (Reflect.get(stream, name) !== method) return;
    if (before) Object.defineProperty(stream, name, before);
    else Reflect.deleteProperty(stream, name);
  };
}

/** A stream at the far end, and the stream that is piped into it. */
interface Leaf {
  destination: Destination;
  source: Partial<Readable>;
}

/** The pipes out of one stream. */
export class Pipes {
  readonly #to = new Set<Destination>();

  constructor(private readonly stream: Partial<Readable>) {}

  /** Call from the stream's `pipe`. */
  add(to: Writable): void {
    const destination = Destination.of(to);
    if (this.#to.has(destination)) return;
    this.#to.add(destination);
    destination.join();
    const onUnpipe = (source: unknown) => {
      if (source !== this.stream) return;
      to.off('unpipe', onUnpipe);
      this.#to.delete(destination);
      destination.leave();
    };
    to.on('unpipe', onUnpipe);
  }

  /** The far ends of all pipes; none when the stream is not piped. */
  leaves(): Leaf[] {
    return [...this.#to].flatMap((destination) => destination.leaves(this.stream));
  }
}

/** Resolves when a far end has finished, failed or closed, or has nothing to write after its source has ended, or on `signal`. */
export function settled({ destination, source }: Leaf, signal: AbortSignal): Promise<void> {
  const { stream } = destination;
  return new Promise((resolve) => {
    let over = false;
    const done = () => {
      unwatch();
      stop();
      signal.removeEventListener('abort', done);
      for (const event of ['end', 'close', 'error']) source.off?.(event, onOver);
      resolve();
    };
    // A stream that is never ended (process.stdout, `{ end: false }`) can be awaited only while it has something to write.
    const look = () => {
      if (over && !stream.writableEnded && stream.writableLength === 0) done();
    };
    const onOver = () => {
      // After the handlers that end the stream because its source has ended.
      setImmediate(() => {
        over = true;
        look();
      });
    };
    const unwatch = destination.watch(look);
    const stop = finished(stream, done);
    signal.addEventListener('abort', done);
    if (source.readableEnded || source.destroyed) onOver();
    else for (const event of ['end', 'close', 'error']) source.on?.(event, onOver);
  });
}
