/** What a running program tells, and what it tells when the machine is too slow: a fake engine that takes its time. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ParakeetOptions } from '../src/composition/options.js';
import type { ParakeetStream } from '../src/composition/parakeet-stream.js';
import type { LagMessage, StepMessage, StreamMessage } from '../src/diagnostics.js';
import type { TranscriptEvent } from '../src/events.js';
import { parakeet } from '../src/parakeet.js';
import { pass, stopClocks, turns } from './support/clock.js';
import { fakeModel, loud } from './support/fake-native.js';

const RATE = 16_000;

function line(delay: number, options: ParakeetOptions = {}): ParakeetStream {
  const model = fakeModel({ delay });
  return parakeet({
    model,
    input: { format: 'f32le', sampleRate: RATE, channels: 1 },
    latency: 'low',
    ...options,
  });
}

/** A live source: 100 ms of sound every 100 ms, into a line that may not keep up; nothing of it may be lost. */
async function speakInto(stream: ParakeetStream, seconds: number): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  stream.on('data', (event: TranscriptEvent) => events.push(event));
  const push = new Uint8Array(loud(0.1).buffer);
  for (let i = 0; i < seconds * 10; i++) {
    stream.write(push);
    await pass(100);
  }
  stream.end();
  while (!stream.readableEnded) await pass(10);
  return events;
}

function listen<T>(name: string): { messages: T[]; stop: () => void } {
  const messages: T[] = [];
  const listener = (message: unknown) => void messages.push(message as T);
  subscribe(name, listener);
  return { messages, stop: () => unsubscribe(name, listener) };
}

describe('an engine that is slower than speech', () => {
  beforeEach(stopClocks);
  afterEach(() => vi.useRealTimers());

  test('finals all come, drafts go first, and the lag is told, in events, in stats and on the channel', async () => {
    const lag = listen<LagMessage>('parakeet-stream:lag');
    // Each native call takes 150 ms: a second of sound in steps of 320 ms costs more than a second.
    const events = await speakInto(line(150), 4);
    lag.stop();
    const told = events.flatMap((event) => (event.type === 'lag' ? [event.seconds] : []));
    expect(told[0]).toBeGreaterThanOrEqual(1);
    expect(lag.messages).toEqual(told.map((seconds) => ({ seconds })));
    const end = events.at(-1) as Extract<TranscriptEvent, { type: 'end' }>;
    expect(end.stats.maxLag).toBeGreaterThanOrEqual(Math.max(...told));
    expect(end.stats.draftsDropped).toBeGreaterThan(0);
    expect(events.filter((event) => event.type === 'token')).toHaveLength(50);
    expect(end.stats.audioSeconds).toBeCloseTo(4);
  });

  test('one that is fast enough says nothing of lag', async () => {
    const events = await speakInto(line(1), 1.5);
    expect(events.some((event) => event.type === 'lag')).toBe(false);
    expect((events.at(-1) as { stats: { maxLag: number } }).stats.maxLag).toBeLessThan(0.5);
  });
});

test('steps and streams are told on their channels, and only while somebody listens', async () => {
  const steps = listen<StepMessage>('parakeet-stream:step');
  const streams = listen<StreamMessage>('parakeet-stream:stream');
  const stream = line(0);
  stream.end(new Uint8Array(loud(2).buffer));
  for await (const _ of stream);
  const failed = line(0);
  failed.on('error', () => {});
  failed.resume();
  await turns(20);
  failed.destroy(new Error('enough'));
  await new Promise((resolve) => failed.once('close', resolve));
  steps.stop();
  streams.stop();
  const silent = line(0);
  silent.end(new Uint8Array(loud(1).buffer));
  for await (const _ of silent);

  expect(steps.messages.length).toBeGreaterThan(3);
  for (const step of steps.messages) {
    expect(step.batch).toBeGreaterThanOrEqual(1);
    expect(step.computeSeconds).toBeGreaterThan(0);
    expect(step.latencySeconds).toBeGreaterThan(0);
  }
  const frames = steps.messages.reduce((sum, step) => sum + step.final, 0);
  expect(frames * 0.08).toBeGreaterThanOrEqual(2);
  expect(streams.messages).toEqual([
    { state: 'open' },
    { state: 'closed' },
    { state: 'open' },
    { state: 'closed', error: expect.objectContaining({ message: 'enough' }) },
  ]);
});

test('PARAKEET_LOG writes the messages of the channels that it names to stderr, and nothing else', async () => {
  const written: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  vi.stubEnv('PARAKEET_LOG', 'stream, lag');
  vi.resetModules();
  try {
    const fresh = await import('../src/parakeet.js');
    const stream = fresh.parakeet({ model: fakeModel(), input: { format: 'f32le', sampleRate: RATE } });
    stream.on('error', () => {});
    stream.resume();
    await turns(20);
    stream.destroy(new Error('enough'));
    await new Promise((resolve) => stream.once('close', resolve));
  } finally {
    stderr.mockRestore();
    vi.unstubAllEnvs();
  }
  expect(written).toEqual([
    'parakeet-stream:stream {"state":"open"}\n',
    'parakeet-stream:stream {"state":"closed","error":"enough"}\n',
  ]);
});
