/**
 * The combined cost of several streams.
 */
import type { StreamStats } from '../events.js';

/** Sums, and the worst of the latencies. */
export function combined(stats: readonly StreamStats[]): StreamStats {
  const sum = (value: (one: StreamStats) => number): number =>
    stats.reduce((total, one) => total + value(one), 0);
  const worst = (value: (one: StreamStats) => number): number =>
    stats.reduce((most, one) => Math.max(most, value(one)), 0);
  const audioSeconds = sum((one) => one.audioSeconds);
  const computeSeconds = sum((one) => one.computeSeconds);
  return {
    audioSeconds,
    computeSeconds,
    realTimeFactor: audioSeconds > 0 ? computeSeconds / audioSeconds : 0,
    steps: sum((one) => one.steps),
    draftsDropped: sum((one) => one.draftsDropped),
    stepsGrown: sum((one) => one.stepsGrown),
    maxLag: worst((one) => one.maxLag),
    latency: {
      p50: worst((one) => one.latency.p50),
      p95: worst((one) => one.latency.p95),
      max: worst((one) => one.latency.max),
    },
  };
}
