/**
 * Many live streams on one model, in real time, whose number may change between two looks at them: how late their finals come, and what
 * they cost. They have been running for a while, since a step costs more the more it looks back on: each is given as much audio as its left
 * context holds before it is timed.
 */
import { performance } from 'node:perf_hooks';
import { parakeet } from 'parakeet-stream';
import { quantile } from './quantile.mjs';

const PUSH_SECONDS = 0.1;
/** Seconds of a window that are not counted, and within which what is late may still come. */
const [WARM_UP, LATEST] = [1, 3];

export class LiveStreams {
  #streams = [];
  #reported = 0;

  /** @param {{ model: object, speech: Float32Array, options: object, step: { chunk: number, lookahead: number, left: number } }} setup `step`: seconds */
  constructor(setup) {
    this.setup = setup;
  }

  /** Opens streams until there are so many. Returns the seconds of audio per second with which they heard what they look back on, if any did. */
  async open(count) {
    const { step } = this.setup;
    const added = Array.from({ length: count - this.#streams.length }, (_, i) =>
      this.#stream(this.#streams.length + i),
    );
    if (added.length === 0) return undefined;
    const began = performance.now();
    const pieces = Math.ceil((step.left + step.lookahead) / PUSH_SECONDS);
    await Promise.all(
      added.map(async (stream) => {
        for (let n = 0; n < pieces; n++) await stream.write();
        await stream.reached(step.left - step.chunk);
      }),
    );
    this.#streams.push(...added);
    return (added.length * pieces * PUSH_SECONDS * 1000) / (performance.now() - began);
  }

  /**
   * The first `count` streams in real time for so many seconds.
   *
   * @returns {Promise<{ lag: number, cpu: number, javaScriptShare: number }>} the 95th percentile of the lags in milliseconds, seconds of CPU time for a second of
   * one stream, and the share of the time that the event loop was at work
   */
  async window(count, seconds) {
    const streams = this.#streams.slice(0, count);
    const began = performance.now() + 200;
    const [from, until] = [began + WARM_UP * 1000, began + (WARM_UP + seconds) * 1000];
    for (const stream of streams) stream.count(from, until);
    const cost = { cpu: 0, loop: 0 };
    const counted = (async () => {
      await sleep(from - performance.now());
      const [cpu, loop] = [process.cpuUsage(), performance.eventLoopUtilization()];
      await sleep(until - performance.now());
      const { user, system } = process.cpuUsage(cpu);
      cost.cpu = (user + system) / 1e6;
      cost.loop = performance.eventLoopUtilization(loop).utilization;
    })();
    await Promise.all([
      counted,
      ...streams.map(async (stream, i) => {
        // Streams start at different times within a step, as speakers do.
        const start = began + ((i * 0.618) % 1) * this.setup.step.chunk * 1000;
        for (let n = 0; ; n++) {
          const due = start + n * PUSH_SECONDS * 1000;
          if (due > until) return;
          await sleep(due - performance.now());
          void stream.write();
        }
      }),
    ]);
    await this.#quiet();
    const lags = streams.flatMap((stream) => stream.lags());
    return { lag: quantile(lags, 0.95), cpu: cost.cpu / (seconds * count), javaScriptShare: cost.loop };
  }

  async close() {
    await Promise.all(this.#streams.map((stream) => stream.close()));
  }

  /** Resolves when nothing more is reported: what came too late has come, or never will in time. */
  async #quiet() {
    const limit = performance.now() + LATEST * 1000;
    for (let before = -1; before !== this.#reported && performance.now() < limit; ) {
      before = this.#reported;
      await sleep(300);
    }
  }

  #stream(number) {
    const { model, speech, options, step } = this.setup;
    const { sampleRate, hop, subsamplingFactor } = model.info;
    const push = Math.round(PUSH_SECONDS * sampleRate);
    const frame = hop * subsamplingFactor;
    const line = parakeet({ model, ...options, input: { format: 'f32le', sampleRate, channels: 1 } });
    const offset = (number * 104_729) % (speech.length - push);
    /** When each piece was written. */
    const pushed = [];
    let lags = [];
    let [from, until] = [Number.POSITIVE_INFINITY, 0];
    let final = 0;
    const waiting = [];
    line.on('data', (event) => {
      if (event.type !== 'progress') return;
      this.#reported++;
      final = event.time;
      for (const one of waiting) if (final >= one.time) one.resolve();
      const samples = Math.round(((event.time + step.lookahead) * sampleRate) / frame) * frame;
      const heard = pushed[Math.ceil(samples / push) - 1];
      if (heard !== undefined && heard >= from && heard < until) lags.push(performance.now() - heard);
    });
    return {
      write() {
        const at = (offset + pushed.length * push) % (speech.length - push);
        pushed.push(performance.now());
        return new Promise((resolve) => {
          line.write(Buffer.from(speech.buffer, speech.byteOffset + 4 * at, 4 * push), () => resolve());
        });
      },
      reached: (time) =>
        final >= time ? Promise.resolve() : new Promise((resolve) => waiting.push({ time, resolve })),
      count(first, last) {
        [from, until, lags] = [first, last, []];
      },
      /** With the steps that are due and were not heard of. */
      lags() {
        const heardUntil = Math.ceil(((final + step.lookahead + step.chunk) * sampleRate) / push);
        const late = pushed[heardUntil];
        const missing = late !== undefined && late < until ? [performance.now() - Math.max(late, from)] : [];
        return [...lags, ...missing];
      },
      close: () =>
        new Promise((resolve) => {
          line
            .once('close', resolve)
            .on('error', () => {})
            .destroy();
        }),
    };
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
