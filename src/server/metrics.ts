/** What the server counts, for Prometheus. Names of clients, rooms and words are in none of it. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import type * as Prometheus from 'prom-client';
import type { StepMessage } from '../index.js';
import { isParakeetError } from '../index.js';
import type { QueueCounts } from '../many/index.js';
import type { Admission } from './admission.js';

/** Bounds of the histograms. */
const LAG_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30];
const REAL_TIME_FACTORS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
/** Milliseconds in which a queue answers. */
const QUEUE_MS = 1000;
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export class ServerMetrics {
  readonly #registry: Prometheus.Registry;
  readonly #Gauge: typeof Prometheus.Gauge;
  readonly #streams: Prometheus.Counter<'protocol'>;
  readonly #files: Prometheus.Counter<'protocol'>;
  readonly #audio: Prometheus.Counter<'kind'>;
  readonly #errors: Prometheus.Counter<'code'>;
  readonly #drafts: Prometheus.Counter;
  readonly #lag: Prometheus.Histogram;
  readonly #realTimeFactor: Prometheus.Histogram;
  readonly #batch: Prometheus.Histogram;

  constructor({ Registry, Counter, Gauge, Histogram }: typeof Prometheus, admission: Admission) {
    const registry = new Registry();
    this.#registry = registry;
    this.#Gauge = Gauge;
    const registers = [registry];
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge('parakeet_live_streams', 'Live transcripts that are open', () => admission.streams);
    gauge('parakeet_live_streams_limit', 'Most live transcripts at once', () => admission.limits.maxStreams);
    gauge('parakeet_files', 'Files that are being transcribed', () => admission.files);
    gauge('parakeet_files_queued', 'Files that wait', () => admission.queued);
    gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
    this.#streams = new Counter({
      name: 'parakeet_live_streams_total',
      help: 'Live transcripts that were opened',
      labelNames: ['protocol'],
      registers,
    });
    this.#files = new Counter({
      name: 'parakeet_files_total',
      help: 'Files that were begun',
      labelNames: ['protocol'],
      registers,
    });
    this.#audio = new Counter({
      name: 'parakeet_audio_seconds_total',
      help: 'Sound that was transcribed',
      labelNames: ['kind'],
      registers,
    });
    this.#errors = new Counter({
      name: 'parakeet_errors_total',
      help: 'Requests and live transcripts that failed or were refused',
      labelNames: ['code'],
      registers,
    });
    this.#drafts = new Counter({
      name: 'parakeet_drafts_dropped_total',
      help: 'Drafts that were not sent because the client reads too slowly',
      registers,
    });
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name, help, buckets, registers });
    this.#lag = histogram(
      'parakeet_lag_seconds',
      'From the arrival of the sound that final words need to these words',
      LAG_SECONDS,
    );
    this.#realTimeFactor = histogram(
      'parakeet_real_time_factor',
      'Compute for a second of sound, of each step',
      REAL_TIME_FACTORS,
    );
    this.#batch = histogram('parakeet_batch_size', 'Live transcripts whose steps ran together', BATCH_SIZES);
    subscribe('parakeet-stream:step', this.#onStep);
  }

  /** A live transcript was opened. */
  streamOpened(protocol: string): void {
    this.#streams.inc({ protocol });
  }

  /** A live transcript is over, after so many seconds of sound. */
  streamClosed(seconds: number, error: unknown): void {
    this.#audio.inc({ kind: 'live' }, seconds);
    if (error !== undefined) this.failed(error);
  }

  /** A file was begun. */
  fileOpened(protocol: string): void {
    this.#files.inc({ protocol });
  }

  /** A file is over, after so many seconds of sound. */
  fileClosed(seconds: number): void {
    this.#audio.inc({ kind: 'file' }, seconds);
  }

  /** A request failed, or was refused. */
  failed(error: unknown): void {
    this.#errors.inc({ code: isParakeetError(error) ? error.code : 'other' });
  }

  /** Finals of a live transcript came so many seconds later than their sound allowed. */
  lagged(seconds: number): void {
    this.#lag.observe(seconds);
  }

  /** A draft was not sent. */
  draftDropped(): void {
    this.#drafts.inc();
  }

  /** Shows how many recordings a queue has, of each state; nothing of it while the queue does not answer. */
  watchQueue(counts: () => Promise<QueueCounts>): void {
    // While Redis is away the answer waits for it: asked once, and not waited for.
    let asked: Promise<QueueCounts | undefined> | undefined;
    const ask = () => {
      const answer = counts().catch(() => undefined);
      void answer.then(() => {
        asked = undefined;
      });
      return answer;
    };
    new this.#Gauge({
      name: 'parakeet_queue_recordings',
      help: 'Recordings in the queue of the archive',
      labelNames: ['state'],
      registers: [this.#registry],
      async collect() {
        asked ??= ask();
        const known = await Promise.race([asked, delay(QUEUE_MS, undefined, { ref: false })]);
        this.reset();
        for (const [state, count] of Object.entries(known?.recordings ?? {})) this.set({ state }, count);
      },
    });
  }

  /** Everything, as Prometheus reads it. */
  async read(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  close(): void {
    unsubscribe('parakeet-stream:step', this.#onStep);
  }

  readonly #onStep = (message: unknown) => {
    const { realTimeFactor, batch } = message as StepMessage;
    // A step without final frames has none.
    if (Number.isFinite(realTimeFactor)) this.#realTimeFactor.observe(realTimeFactor);
    this.#batch.observe(batch);
  };
}
