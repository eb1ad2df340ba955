/**
 * Where a stream is piped to, and whether what was piped has been written: Node exposes neither. It knows nothing of failures.
 *
 * A stream that is piped into learns of it only through its methods: `pipe`, which names the next one, and `write`, whose callback says
 * that a chunk is done. Both are wrapped while something is piped into the stream.
 */
import { finished, type Readable, type Writable } from 'node:stream';

type Callback = (error?: Error | null) => void;

/** A stream that data is piped into, possibly from several sources. */
class Destination {
  static readonly #all = new WeakMap<Writable, Destination>();
  readonly #pipes: Pipes;
  readonly #watchers = new Set<() => void>();
  #sources = 0;

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
    put(stream, 'write', (chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback) => {
      const given = typeof encoding === 'function' ? encoding : callback;
      const done: Callback = (error) => {
        for (const watcher of [...this.#watchers]) watcher();
        given?.(error);
      };
      return typeof encoding === 'string' ? write(chunk, encoding, done) : write(chunk, done);
    });
    const duplex = stream as Writable & Partial<Readable>;
    const pipe = duplex.pipe?.bind(stream);
    if (!pipe || duplex.readable === undefined) return;
    put(stream, 'pipe', (to: Writable, options?: { end?: boolean }) => {
      this.#pipes.add(to);
      return pipe(to, options);
    });
  }

  /** A source was unpiped; the watch ends with the last one. Pipes that continue are still known. */
  leave(): void {
    if (--this.#sources > 0) return;
    Reflect.deleteProperty(this.stream, 'write');
    Reflect.deleteProperty(this.stream, 'pipe');
  }

  /** Calls `watcher` whenever a write is done, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** Puts an own method in front of the one of the class. */
function put(stream: Writable, name: 'write' | 'pipe', value: unknown): void {
  Object.defineProperty(stream, name, { value, configurable: true, writable: true });
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
