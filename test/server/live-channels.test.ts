/** Live transcripts without a protocol: events, rooms, limits, ends. */
import { fastify } from 'fastify';
import * as prometheus from 'prom-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadModel, type Model, type TranscriptEvent } from '../../src/index.js';
import { Admission } from '../../src/server/admission.js';
import type { LiveChannel, LiveChannelOptions } from '../../src/server/live-channel.js';
import { LiveChannels } from '../../src/server/live-channels.js';
import { ServerMetrics } from '../../src/server/metrics.js';
import type { RoomHub } from '../../src/server/rooms.js';
import { pcmOf } from '../support/caption-server.js';

let model: Model;
let jfk: Buffer;
beforeAll(async () => {
  model = await loadModel();
  jfk = await pcmOf('jfk.flac');
});
afterAll(() => model.close());

/** All that is needed for live transcripts, with a hub that keeps what it gets. */
function setUp({ maxStreams = 4, maxDuration = 3600, idleTimeout = 60 } = {}) {
  const admission = new Admission({ maxStreams, maxFiles: 1, maxQueue: 0 });
  const metrics = new ServerMetrics(prometheus, admission);
  const published: TranscriptEvent[] = [];
  const left: (Error | undefined)[] = [];
  const rooms: RoomHub = {
    close: async () => {},
    join: (room) => {
      if (room === 'full') throw new Error('full');
      return { publish: (event) => published.push(event), leave: (error) => left.push(error) };
    },
  };
  const { log } = fastify();
  const channels = new LiveChannels({
    model,
    draftModel: undefined,
    latency: 'low',
    maxDuration,
    idleTimeout,
    admission,
    metrics,
    rooms,
    log,
    onLag: (seconds) => metrics.lagged(seconds),
  });
  return { admission, metrics, channels, published, left };
}

const OPTIONS: LiveChannelOptions = {
  protocol: 'test',
  client: 'someone',
  input: { format: 's16le', sampleRate: 16_000 },
};

async function collect(channel: LiveChannel) {
  const events: TranscriptEvent[] = [];
  let error: (Error & { code?: string }) | undefined;
  try {
    for await (const event of channel) events.push(event);
  } catch (cause) {
    error = cause as Error;
  }
  const text = events.flatMap((event) => (event.type === 'sentence' ? [event.sentence.text] : [])).join(' ');
  return { events, error, text };
}

test('what is written is transcribed, and published in a room with the speaker', async () => {
  const { admission, metrics, channels, published, left } = setUp();
  const channel = channels.open({ ...OPTIONS, room: 'main', speaker: 'Ada', offset: 100 });
  const collected = collect(channel);
  await channel.write(jfk);
  channel.end();
  const { events, error, text } = await collected;
  await channel.closed;
  expect(error).toBeUndefined();
  expect(text).toMatch(/your country/);
  expect(published).toEqual(events);
  expect(published.find((event) => event.type === 'sentence')).toMatchObject({ speaker: 'Ada' });
  expect(published.find((event) => event.type === 'token')?.token.start).toBeGreaterThanOrEqual(100);
  expect(left).toEqual([undefined]);
  expect([admission.streams, channels.size]).toEqual([0, 0]);
  const { text: figures } = await metrics.read();
  metrics.close();
  expect(figures).toContain('parakeet_live_streams_total{protocol="test"} 1');
  expect(figures).toMatch(/parakeet_audio_seconds_total\{kind="live"\} (11|10\.99)/);
  expect(figures).toMatch(/parakeet_lag_seconds_count [1-9]/);
  expect(figures).toMatch(/parakeet_batch_size_count [1-9]/);
});

test('flush resolves when the reader has everything before it', async () => {
  const { channels, metrics } = setUp();
  const channel = channels.open(OPTIONS);
  let said = '';
  const reading = (async () => {
    for await (const event of channel) if (event.type === 'sentence') said += event.sentence.text;
  })();
  await channel.write(jfk);
  await channel.flush();
  expect(said).toMatch(/for your country/);
  channel.end();
  await reading;
  metrics.close();
});

test('a client that is silent gets its finals, then the reason', async () => {
  const { channels, metrics, admission } = setUp({ idleTimeout: 1 });
  const channel = channels.open(OPTIONS);
  const collected = collect(channel);
  await channel.write(jfk);
  const { error, text } = await collected;
  expect(text).toMatch(/for your country/);
  expect(error).toMatchObject({
    code: 'ERR_PARAKEET_SERVER_LIMIT',
    message: expect.stringMatching(/within 1 s/),
  });
  await channel.closed;
  expect(admission.streams).toBe(0);
  expect((await metrics.read()).text).toContain('parakeet_errors_total{code="ERR_PARAKEET_SERVER_LIMIT"} 1');
  metrics.close();
});

test('a sign of life keeps it open', async () => {
  const { channels, metrics } = setUp({ idleTimeout: 1 });
  const channel = channels.open(OPTIONS);
  const collected = collect(channel);
  for (let i = 0; i < 8; i++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    channel.keepAlive();
  }
  expect(channel.open).toBe(true);
  channel.end();
  expect((await collected).error).toBeUndefined();
  metrics.close();
});

test('more sound than allowed: finals, then the reason', async () => {
  const { channels, metrics } = setUp({ maxDuration: 5 });
  const channel = channels.open(OPTIONS);
  const collected = collect(channel);
  for (let at = 0; at < jfk.length; at += 3200) await channel.write(jfk.subarray(at, at + 3200));
  const { error, text } = await collected;
  expect(text).toMatch(/and so/i);
  expect(text).not.toMatch(/do for your country/);
  expect(error).toMatchObject({
    code: 'ERR_PARAKEET_SERVER_LIMIT',
    message: expect.stringMatching(/5 s of sound/),
  });
  metrics.close();
});

test('beyond the capacity none is opened, and none of several', async () => {
  const { channels, admission, metrics, published } = setUp({ maxStreams: 2 });
  const [first, second] = channels.openAll([OPTIONS, OPTIONS]) as [LiveChannel, LiveChannel];
  expect(() => channels.open(OPTIONS)).toThrow(expect.objectContaining({ code: 'ERR_PARAKEET_SERVER_BUSY' }));
  first.abort();
  await first.closed;
  expect(() => channels.openAll([OPTIONS, OPTIONS])).toThrow(/all that this machine holds/);
  expect(admission.streams).toBe(1);
  second.abort();
  await second.closed;
  expect([admission.streams, channels.size, published.length]).toEqual([0, 0, 0]);
  metrics.close();
});

test.each<[string, Partial<LiveChannelOptions>, RegExp]>([
  ['a bad room', { room: '../etc' }, /Expected a room/],
  ['a room that refuses', { room: 'full' }, /full/],
  ['bad input', { input: { format: 's16le' } }, /input\.sampleRate/],
  ['bad phrases', { boost: [{ phrase: '' }] }, /phrase/],
])('%s opens nothing and keeps no place', (_, options, message) => {
  const { channels, admission, metrics } = setUp();
  expect(() => channels.open({ ...OPTIONS, ...options })).toThrow(message);
  expect([admission.streams, channels.size]).toEqual([0, 0]);
  metrics.close();
});

test('a client that has gone: without a room it ends at once, with one the rest is still published', async () => {
  const { channels, metrics, published, left } = setUp();
  const alone = channels.open(OPTIONS);
  const watched = channels.open({ ...OPTIONS, room: 'main' });
  const [first, second] = [collect(alone), collect(watched)];
  await Promise.all([alone.write(jfk), watched.write(jfk)]);
  alone.leave();
  watched.leave();
  expect((await second).text).toMatch(/for your country/);
  await first;
  expect(published.at(-1)?.type).toBe('end');
  await vi.waitFor(() => expect(left).toEqual([undefined]));
  metrics.close();
});

test('draining delivers what was said; what does not end in time is aborted', async () => {
  const { channels, metrics, admission } = setUp();
  const reader = channels.open(OPTIONS);
  // Nobody reads this one, so it cannot come to its end.
  const stuck = channels.open(OPTIONS);
  const collected = collect(reader);
  await reader.write(jfk);
  void stuck.write(jfk);
  await channels.drain(1);
  const { error, text } = await collected;
  expect(text).toMatch(/for your country/);
  expect(error).toMatchObject({
    code: 'ERR_PARAKEET_SERVER_BUSY',
    message: expect.stringMatching(/stopping/),
  });
  expect([admission.streams, channels.size]).toEqual([0, 0]);
  metrics.close();
});
