/**
 * Diagnostics of a running program, through `node:diagnostics_channel`: nothing is created unless there is a subscriber. Numbers are
 * seconds and counts, as OpenTelemetry's histograms and counters take them.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 * subscribe('parakeet-stream:step', (message) => histogram.record((message as StepMessage).computeSeconds));
 * ```
 *
 * `PARAKEET_LOG=all`, or the names of channels as in `PARAKEET_LOG=step,lag`, writes the messages to stderr.
 */
import { channel } from 'node:diagnostics_channel';
import { logChannels } from './log.js';

/** On `parakeet-stream:step`: a stream has taken a step, and its tokens are out. */
export interface StepMessage {
  /** Encoder frames that became final, and those that were drafted. */
  final: number;
  draft: number;
  /** Final tokens. */
  tokens: number;
  /** Streams whose steps ran together with this one, including it. */
  batch: number;
  /** The stream's share of the compute. */
  computeSeconds: number;
  /** Compute per second of audio that became final; more than 1 is slower than real time. */
  realTimeFactor: number;
  /** From "the audio of the step has reached the encoder" to "its tokens are out". */
  latencySeconds: number;
  /** The draft was left out because newer audio waits. */
  draftDropped: boolean;
}

/** On `parakeet-stream:lag`: see `LagEvent`; sent with each such event. */
export interface LagMessage {
  seconds: number;
}

/** On `parakeet-stream:stream`: a `parakeet()` stream was opened or closed. */
export interface StreamMessage {
  state: 'open' | 'closed';
  /** With `'closed'`: the reason, if it did not end normally. */
  error?: Error;
}

/** The channels, by name. */
export const channels = {
  step: channel('parakeet-stream:step'),
  lag: channel('parakeet-stream:lag'),
  stream: channel('parakeet-stream:stream'),
};

if (process.env.PARAKEET_LOG) logChannels(process.env.PARAKEET_LOG, channels);

/** Publishes the result of `make` if there is a subscriber. */
export function publish<T extends object>(name: keyof typeof channels, make: () => T): void {
  if (channels[name].hasSubscribers) channels[name].publish(make());
}
