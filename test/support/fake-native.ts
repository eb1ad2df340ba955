/**
 * A model made of arithmetic that behaves like the engine: asynchronous, in order, sessions that must be closed. It emits a token
 * for each frame that is louder than silence. For tests of the streams around the engine, not of recognition.
 */

import type {
  NativeDecoder,
  NativeEncoder,
  NativeEncoderOptions,
  NativeFrames,
  NativeMel,
  NativeModel,
  NativeModelInfo,
  NativeSpeechChange,
  NativeTicket,
  NativeTokens,
} from '../../src/engine/addon.js';
import { AbortedError } from '../../src/errors.js';
import type { StageModel } from '../../src/model/stage-model.js';

const HOP = 160;
const FACTOR = 8;
const SILENCE = 1e-3;

/** Where the fake engine goes wrong. */
export type FakeFault = 'mel' | 'step' | 'decode';

export interface FakeOptions {
  architecture?: NativeModelInfo['architecture'];
  /** Contexts of a cache-aware model; none by default. */
  contexts?: NativeModelInfo['contexts'];
  sampleRate?: number;
  /** The front end says where speech begins and ends: whatever is loud. */
  speech?: boolean;
  /** Milliseconds that each native call takes. */
  delay?: number;
  /** This kind of call fails, from its `faultAfter`th on. */
  fail?: FakeFault;
  /** This kind of call never settles until its session is closed. */
  hang?: FakeFault;
  faultAfter?: number;
}

/** Counts what tests ask about. */
interface FakeCounts {
  open: number;
  steps: number;
  samples: number;
  /** Calls at work in the "engine". */
  busy: number;
}

export interface FakeModel extends StageModel {
  readonly counts: FakeCounts;
  /** Settles when a call with the fault `hang` was made. */
  readonly hanging: Promise<void>;
  closed: boolean;
  close(): Promise<void>;
}

export function fakeModel(options: FakeOptions = {}): FakeModel {
  const counts: FakeCounts = { open: 0, steps: 0, samples: 0, busy: 0 };
  const calls: Record<FakeFault, number> = { mel: 0, step: 0, decode: 0 };
  let hangs = () => {};
  const hanging = new Promise<void>((resolve) => {
    hangs = resolve;
  });

  /** One session's queue: calls settle in order, and reject when it is closed. */
  class Session {
    closed = false;
    #rejects = new Set<(error: Error) => void>();
    constructor() {
      counts.open++;
    }
    run<T>(kind: FakeFault, work: () => T): Promise<T> {
      const number = ++calls[kind];
      const faulty = number > (options.faultAfter ?? 0);
      return new Promise<T>((resolve, reject) => {
        if (this.closed) return reject(new AbortedError());
        counts.busy++;
        const settle = (done: () => void) => {
          if (!this.#rejects.delete(abort)) return;
          counts.busy--;
          done();
        };
        const abort = (error: Error) => settle(() => reject(error));
        this.#rejects.add(abort);
        if (faulty && options.hang === kind) return hangs();
        const act = () => {
          if (faulty && options.fail === kind) return abort(new Error(`fake ${kind} failed`));
          settle(() => {
            try {
              resolve(work());
            } catch (error) {
              reject(error as Error);
            }
          });
        };
        if (options.delay) setTimeout(act, options.delay);
        else setImmediate(act);
      });
    }
    async close(): Promise<void> {
      if (this.closed) return;
      this.closed = true;
      for (const reject of [...this.#rejects]) reject(new AbortedError());
      await new Promise((resolve) => setTimeout(resolve, 2));
      counts.open--;
    }
  }

  class Mel extends Session implements NativeMel {
    #tail = new Float32Array(0);
    #samples = 0;
    #frames = 0;
    #lastLoud = Number.NEGATIVE_INFINITY;
    #speech = false;
    constructor(readonly hangover: number) {
      super();
    }
    push(samples: Float32Array): Promise<NativeFrames> {
      return this.run('mel', () => this.#take(samples));
    }
    finish(flush: number): Promise<NativeFrames> {
      return this.run('mel', () => this.#take(new Float32Array(flush)));
    }
    save(): Promise<Uint8Array> {
      return unused();
    }
    load(): Promise<void> {
      return unused();
    }
    #take(samples: Float32Array): NativeFrames {
      counts.samples += samples.length;
      this.#samples += samples.length;
      const all = new Float32Array(this.#tail.length + samples.length);
      all.set(this.#tail);
      all.set(samples, this.#tail.length);
      const rows = Math.floor(this.#samples / HOP) - this.#frames;
      const data = new Float32Array(rows * 2);
      const changes: NativeSpeechChange[] = [];
      for (let row = 0; row < rows; row++) {
        const window = all.subarray(row * HOP, (row + 1) * HOP);
        data[2 * row] = window.reduce((sum, x) => sum + Math.abs(x), 0) / HOP;
        data[2 * row + 1] = this.#frames + row;
        changes.push(...this.#hear(this.#frames + row, data[2 * row] as number));
      }
      this.#frames += rows;
      this.#tail = all.slice(rows * HOP);
      return { rows, changes, data: () => data };
    }
    #hear(melFrame: number, loudness: number): NativeSpeechChange[] {
      if (loudness > SILENCE) this.#lastLoud = melFrame;
      const speech = options.speech === true && melFrame - this.#lastLoud < this.hangover;
      if (speech === this.#speech) return [];
      this.#speech = speech;
      return [{ melFrame: speech ? melFrame : this.#lastLoud + 1, speech }];
    }
  }

  class Encoder extends Session implements NativeEncoder {
    #loudness: number[] = [];
    #done = 0;
    #flushed = 0;
    #finished = false;
    #over = false;
    #ticket = 0;
    tickets = new Map<number, { first: number; final: number[]; draft: number[] }>();
    constructor(readonly options: NativeEncoderOptions) {
      super();
    }
    push(frames: NativeFrames | Float32Array): void {
      if (this.closed) throw new AbortedError();
      const data = frames instanceof Float32Array ? frames : frames.data();
      for (let i = 0; i < data.length; i += 2) this.#loudness.push(data[i] as number);
    }
    finish(): void {
      this.#finished = true;
    }
    flush(): void {
      this.#flushed = Math.floor(this.#loudness.length / FACTOR);
    }
    save(): Promise<Uint8Array> {
      return unused();
    }
    load(): Promise<void> {
      return unused();
    }
    step(frames?: NativeFrames | Float32Array): Promise<NativeTicket | null> {
      if (frames && !this.closed) this.push(frames);
      return this.run('step', () => {
        const { chunk, lookahead } = this.options;
        const due = this.#done + chunk + lookahead;
        if (!this.#over && !this.#finished && this.#loudness.length >= FACTOR * due) {
          return this.#make(this.#done + chunk, due);
        }
        if (this.#flushed > this.#done) return this.#make(this.#flushed, this.#flushed);
        if (this.#finished && !this.#over) {
          this.#over = true;
          const all = Math.ceil(this.#loudness.length / FACTOR);
          return all > this.#done ? this.#make(all, all) : null;
        }
        return null;
      });
    }
    #make(final: number, seen: number): NativeTicket {
      counts.steps++;
      const frame = (t: number) =>
        this.#loudness.slice(t * FACTOR, (t + 1) * FACTOR).reduce((sum, x) => sum + x, 0) / FACTOR;
      const range = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, i) => frame(from + i));
      const first = this.#done;
      const frames = { first, final: range(first, final), draft: range(final, seen) };
      this.tickets.set(this.#ticket, frames);
      this.#done = final;
      return {
        ticket: this.#ticket++,
        firstFrame: first,
        final: frames.final.length,
        draft: frames.draft.length,
        computeSeconds: 0.001,
        grown: 1,
        batch: 1,
      };
    }
  }

  class Decoder extends Session implements NativeDecoder {
    async setBoost(): Promise<void> {}
    hearAgain(): Promise<NativeTokens> {
      return unused();
    }
    save(): Promise<Uint8Array> {
      return unused();
    }
    load(): Promise<void> {
      return unused();
    }
    decode(encoder: NativeEncoder, ticket: number, draft: boolean) {
      return this.run('decode', () => {
        const tickets = (encoder as Encoder).tickets;
        const frames = tickets.get(ticket);
        if (!frames || (encoder as Encoder).closed) throw new Error(`no ticket ${ticket}`);
        tickets.delete(ticket);
        return {
          final: hear(frames.final, frames.first),
          draft: draft ? hear(frames.draft, frames.first + frames.final.length) : hear([], 0),
          computeSeconds: 0.0005,
        };
      });
    }
  }

  function hear(loudness: number[], first: number): NativeTokens {
    const heard = loudness.map((x, i) => ({ x, frame: first + i })).filter(({ x }) => x > SILENCE);
    return {
      ids: Int32Array.from(heard, ({ frame }) => (frame % 10 === 9 ? 10 : frame % 10)),
      starts: Int32Array.from(heard, ({ frame }) => frame),
      durations: Int32Array.from(heard, () => 1),
      confidences: Float32Array.from(heard, ({ x }) => Math.min(1, x)),
    };
  }

  const unused = () => Promise.reject(new Error('the fake model does not do this'));
  const info: NativeModelInfo = {
    architecture: options.architecture ?? 'tdt',
    sampleRate: options.sampleRate ?? 16_000,
    hop: HOP,
    features: 2,
    subsamplingFactor: FACTOR,
    layers: 2,
    dModel: 4,
    convKernel: 9,
    vocabulary: [
      '▁zero',
      '▁one',
      '▁two',
      '▁three',
      '▁four',
      '▁five',
      '▁six',
      '▁seven',
      '▁eight',
      '▁nine',
      '.',
    ],
    durations: [0, 1, 2, 3, 4],
    attention: [-1, -1],
    contexts: options.contexts ?? [],
    prompts: {},
    dtype: 'float32',
    device: 'cpu',
  };
  const native: NativeModel = {
    logMel: unused,
    normalize: unused,
    encode: unused,
    decode: unused,
    transcribe: unused,
    recognizeMel: unused,
    createMel: (hangover) => new Mel(hangover),
    createEncoder: (encoderOptions: NativeEncoderOptions) => new Encoder(encoderOptions),
    createDecoder: () => new Decoder(),
    close: async () => {},
  };
  const model: FakeModel = {
    native,
    info,
    counts,
    hanging,
    closed: false,
    async close() {
      model.closed = true;
    },
  };
  return model;
}

/** `seconds` of a tone for which the fake model emits tokens, as 16 kHz samples. */
export function loud(seconds: number): Float32Array {
  return new Float32Array(Math.round(seconds * 16_000)).map((_, i) => (i % 2 === 0 ? 0.5 : -0.5));
}
