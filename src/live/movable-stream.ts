/**
 * A live transcript as a stream that can be moved: 16-bit sound in, transcript events out, and at any time a snapshot from which another process goes on
 * with the same events. What lies between a snapshot and a failure is the sound, which its keeper writes again.
 */
import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';
import { destroyOnAbort } from '../abort.js';
import { PcmDecoder } from '../audio/formats/pcm.js';
import { Resampler } from '../audio/resampling/resampler.js';
import { ClosedError, SavedStateError } from '../errors.js';
import type { SpeechChange, Token, TranscriptEvent } from '../events.js';
import type { BoostPhrase } from '../model/boost.js';
import type { LoadedModel } from '../model/loaded-model.js';
import { speechEvent } from '../model/speech-changes.js';
import { frameSeconds } from '../model/token-placer.js';
import { UtteranceMarks } from '../model/utterance-marks.js';
import { shifted } from '../shift.js';
import type { UtteranceOptions } from '../text/endpointer.js';
import { SentenceEvents, type SentenceState } from '../text/sentence-events.js';
import type { SentenceOptions } from '../text/sentence-options.js';
import { textOf } from '../text/sentence-splitter.js';
import type { LiveStep, LiveTranscript } from './live-transcript.js';

/** What a snapshot has besides the transcript's own. */
export interface MovedState {
  sampleRate: number;
  /** Bytes that were written up to it. */
  bytes: number;
  progress: number;
  revision: number;
  /** Sentences that were sent. */
  said: number;
  sentences: SentenceState;
  options: {
    sentences: SentenceOptions;
    utterances: UtteranceOptions | boolean;
    drafts: boolean;
    offset: number;
  };
}

const BYTES = 2;
/** Seconds of sound before a snapshot from which the filters of a resampler have all that they need. */
const WARM_UP = 2;
/** Seconds of sound that are taken while earlier steps run: where speech begins is told although a step takes its time. */
const MOST_AHEAD = 1;
/** Bytes of a snapshot's head: the length of its own part, and the SHA-256 of that; the transcript's has its own. */
const LENGTH_BYTES = 4;
const HEAD_BYTES = LENGTH_BYTES + 32;

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function writeMoved(state: MovedState, live: Uint8Array): Uint8Array {
  const text = Buffer.from(JSON.stringify(state));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, hashOf(text), text, live]);
}

/** A snapshot's own part, and that of the transcript. @throws {@link SavedStateError} `ERR_PARAKEET_INVALID_SNAPSHOT` */
export function readMoved(snapshot: Uint8Array): { state: MovedState; live: Uint8Array } {
  const bytes = Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength);
  const end = bytes.length > HEAD_BYTES ? HEAD_BYTES + bytes.readUInt32LE(0) : Number.POSITIVE_INFINITY;
  const text = bytes.subarray(HEAD_BYTES, end);
  if (end > bytes.length || !hashOf(text).equals(bytes.subarray(LENGTH_BYTES, HEAD_BYTES)))
    throw new SavedStateError(
      'ERR_PARAKEET_INVALID_SNAPSHOT',
      `Expected the whole snapshot of a stream but received ${bytes.length} bytes that are none`,
    );
  return { state: JSON.parse(text.toString()) as MovedState, live: bytes.subarray(end) };
}

/** Bytes before the sound that must be written again: whole seconds, at which a resampler's phases begin anew. */
export function soundBefore({ sampleRate, bytes }: MovedState): number {
  const seconds = Math.floor(bytes / BYTES / sampleRate) - WARM_UP;
  return Math.max(0, seconds) * sampleRate * BYTES;
}

/** All that another process needs to go on with a stream, besides the sound. */
export interface StreamSnapshot {
  bytes: Uint8Array;
  /** The first byte of the sound that must be kept: it is written again to the stream that goes on. */
  soundFrom: number;
  /** Seconds of sound that were written before. */
  seconds: number;
}

/** A live transcript that can be moved. */
export class MovableStream extends Duplex {
  readonly #live: LiveTranscript;
  readonly #state: MovedState;
  readonly #rate: number;
  readonly #events: SentenceEvents;
  readonly #marks: UtteranceMarks;
  readonly #frameSeconds: number;
  readonly #resampler: Resampler | undefined;
  /** Samples at the model's rate that the transcript has from its snapshot. */
  #known: number;
  readonly #pcm: PcmDecoder;
  /** What is done between two writes, by the empty write that stands for it. */
  readonly #between = new WeakMap<Uint8Array, () => Promise<void>>();
  #work: Promise<void> = Promise.resolve();
  #resume: (() => void) | undefined;
  #steps = 0;
  /** Samples whose steps have not all run, and when those have that were added so far. */
  #ahead = 0;
  #taken: Promise<void> = Promise.resolve();
  /** Seconds of the sound, once it is over: no time is beyond it. */
  #duration = Number.POSITIVE_INFINITY;

  /** @internal */
  constructor(
    model: LoadedModel,
    live: LiveTranscript,
    state: MovedState,
    soundFrom: number,
    signal: AbortSignal | undefined,
  ) {
    super({ readableObjectMode: true, writableObjectMode: false, readableHighWaterMark: 64 });
    this.#live = live;
    this.#rate = model.sampleRate;
    this.#frameSeconds = frameSeconds(model.info);
    this.#marks = new UtteranceMarks(model.info.vocabulary);
    const { sentences, utterances } = state.options;
    this.#events = new SentenceEvents(sentences, utterances, live.confidenceRule);
    this.#events.state = state.sentences;
    const begun = (soundFrom / BYTES / state.sampleRate) * this.#rate;
    this.#known = live.samples - begun;
    this.#state = { ...state, bytes: soundFrom };
    if (state.sampleRate !== this.#rate) this.#resampler = new Resampler(state.sampleRate, this.#rate);
    this.#pcm = new PcmDecoder('s16le', state.sampleRate, 1);
    live.onSpeech = (changes: readonly SpeechChange[]) => this.#send(changes.map(speechEvent));
    live.onStep = (step) => this.#step(step);
    destroyOnAbort(this, signal);
  }

  /** Seconds of sound that were written, those before a snapshot among them. */
  get seconds(): number {
    return this.#state.bytes / BYTES / this.#state.sampleRate;
  }

  /** Sentences that were sent so far, those before a snapshot among them. */
  get said(): number {
    return this.#state.said;
  }

  /** The stream behind all that was written so far. Rejects when it is over. */
  snapshot(): Promise<StreamSnapshot> {
    return this.#behindWrites(async () => {
      const live = await this.#live.snapshot();
      const bytes = writeMoved({ ...this.#state, sentences: this.#events.state }, live);
      return { bytes, soundFrom: soundBefore(this.#state), seconds: this.seconds };
    });
  }

  /** Makes everything final that was written so far. The model treats this as the end of an utterance. */
  flush(): Promise<void> {
    return this.#behindWrites(async () => {
      await this.#live.flush();
      this.#send(this.#events.end('flush'));
    });
  }

  /** Replaces the boosted phrases behind all that was written so far. @throws {@link ArgumentError} as a rejection. */
  setBoost(boost: readonly BoostPhrase[]): Promise<void> {
    return this.#behindWrites(() => this.#live.setBoost(boost));
  }

  /** Node's. @internal */
  override _write(
    chunk: Uint8Array,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    const work = this.#between.get(chunk) ?? (() => this.#take(chunk));
    this.#inTurn(work).then(() => callback(), callback);
  }

  /** Node's. @internal */
  override _final(callback: (error?: Error | null) => void): void {
    this.#inTurn(() => this.#finish()).then(() => callback(), callback);
  }

  /** Node's. @internal */
  override _read(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#resume?.();
    this.#live.close().then(
      () => callback(error),
      (failure: Error) => callback(error ?? failure),
    );
  }

  /** The events, one by one. */
  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<TranscriptEvent> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<TranscriptEvent>;
  }

  /** Runs `work` when all that was written so far is taken. Its failure is the caller's, not the stream's. */
  #behindWrites<T>(work: () => Promise<T>): Promise<T> {
    if (this.writableEnded || this.destroyed) return this.#inTurn(work);
    return new Promise((resolve, reject) => {
      // Node passes on one write after the other, an empty one too.
      const mark = Buffer.alloc(0);
      this.#between.set(mark, () => work().then(resolve, reject));
      this.write(mark, (cause) => {
        if (cause)
          reject(this.errored ?? new ClosedError('Expected an open stream but it was closed', { cause }));
      });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#work.then(work);
    this.#work = mine.then(
      () => {},
      () => {},
    );
    return mine;
  }

  async #take(chunk: Uint8Array): Promise<void> {
    // Nothing but half a sample waits for the next write: a snapshot has none of the sound.
    for (const pieces of [this.#pcm.push(chunk), this.#pcm.flush()])
      for await (const { channels } of pieces) {
        const [samples = new Float32Array(0)] = channels;
        await this.#add(this.#resampler?.push(samples) ?? samples);
        this.#state.bytes += samples.length * BYTES;
      }
    await this.#room();
  }

  async #add(samples: Float32Array): Promise<void> {
    const known = Math.min(this.#known, samples.length);
    this.#known -= known;
    const added = samples.length - known;
    if (added === 0) return;
    const most = MOST_AHEAD * this.#rate;
    const taken = this.#live.addAudio(samples.subarray(known));
    this.#ahead += added;
    this.#taken = taken.then(
      () => {
        this.#ahead -= added;
      },
      (error: Error) => void this.destroy(error),
    );
    if (this.#ahead > most) await this.#taken;
  }

  async #finish(): Promise<void> {
    if (this.#resampler) await this.#add(this.#resampler.end());
    await this.#taken;
    const audioSeconds = this.#live.samples / this.#rate;
    this.#duration = audioSeconds;
    await this.#live.finish();
    this.#advance(audioSeconds);
    const none = { p50: 0, p95: 0, max: 0 };
    const unmeasured = { computeSeconds: 0, realTimeFactor: 0, draftsDropped: 0, stepsGrown: 0, maxLag: 0 };
    const stats = { audioSeconds, steps: this.#steps, ...unmeasured, latency: none };
    this.#send(this.#events.take({ type: 'end', stats }));
    this.push(null);
  }

  #step({ tokens, draft, end }: LiveStep): void {
    this.#steps++;
    for (const token of tokens)
      this.#send(this.#events.take(this.#marks.event(token) ?? { type: 'token', token }));
    this.#advance(end * this.#frameSeconds);
    if (this.#state.options.drafts) this.#draft([...draft]);
  }

  #draft(tokens: Token[]): void {
    this.#send([{ type: 'draft', tokens, text: textOf(tokens), revision: ++this.#state.revision }]);
  }

  #advance(frameEnd: number): void {
    const time = Math.min(frameEnd, this.#duration);
    if (time <= this.#state.progress) return;
    this.#state.progress = time;
    this.#send(this.#events.take({ type: 'progress', time }));
  }

  #send(events: Iterable<TranscriptEvent>): void {
    const { offset } = this.#state.options;
    for (const event of events) {
      if (event.type === 'sentence') this.#state.said++;
      this.push(offset > 0 ? shifted(event, offset) : event);
    }
  }

  /** Waits until the reader has room. */
  async #room(): Promise<void> {
    if (this.readableLength < this.readableHighWaterMark || this.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }
}
