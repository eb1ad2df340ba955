/** What a worker counts, for Prometheus, and the small server that tells it. Names of recordings are in none of it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as Prometheus from 'prom-client';
import { importPeer } from '../optional-peer.js';
import type { FinishedJob } from './redis/redis-worker.js';

/** Bounds of the histogram of jobs, in seconds. */
const SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

export class WorkerMetrics {
  readonly #registry: Prometheus.Registry;
  readonly #jobs: Prometheus.Counter<'kind' | 'status'>;
  readonly #failures: Prometheus.Counter<'code'>;
  readonly #audio: Prometheus.Counter;
  readonly #seconds: Prometheus.Histogram<'kind'>;
  #server: Server | undefined;

  private constructor({ Registry, Counter, Gauge, Histogram }: typeof Prometheus) {
    this.#registry = new Registry();
    const registers = [this.#registry];
    this.#jobs = new Counter({
      name: 'parakeet_jobs_total',
      help: 'Recordings and windows that this worker is done with',
      labelNames: ['kind', 'status'],
      registers,
    });
    this.#failures = new Counter({
      name: 'parakeet_job_failures_total',
      help: 'Attempts that failed',
      labelNames: ['code'],
      registers,
    });
    this.#audio = new Counter({
      name: 'parakeet_job_audio_seconds_total',
      help: 'Sound in the recordings that this worker finished',
      registers,
    });
    this.#seconds = new Histogram({
      name: 'parakeet_job_seconds',
      help: 'Time that a job took',
      labelNames: ['kind'],
      buckets: SECONDS,
      registers,
    });
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory',
      registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  /** @throws {@link DependencyError} without `prom-client`. */
  static async create(): Promise<WorkerMetrics> {
    const remedy = 'Install it: npm install prom-client';
    return new WorkerMetrics(await importPeer<typeof Prometheus>('prom-client', 'counts jobs', remedy));
  }

  /** A job is over. */
  finished({ kind, status, seconds, audioSeconds, failure }: FinishedJob): void {
    this.#jobs.inc({ kind, status });
    this.#seconds.observe({ kind }, seconds);
    if (audioSeconds !== undefined) this.#audio.inc(audioSeconds);
    if (failure) this.#failures.inc({ code: failure.code });
  }

  /** Serves them. Resolves with the address. */
  async listen(host: string, port: number): Promise<string> {
    this.#server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      this.#registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': this.#registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    }).listen(port, host);
    await once(this.#server, 'listening');
    return `http://${host}:${(this.#server.address() as AddressInfo).port}/metrics`;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
