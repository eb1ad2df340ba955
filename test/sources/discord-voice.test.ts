/**
 * Speakers of a voice channel, from real Opus packets made of recordings, through a receiver of our own. No network. The library's own receiver is in
 * test/discord.
 */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import type { TranscriptEvent } from '../../src/events.js';
import { loadModel } from '../../src/load-model.js';
import { merge } from '../../src/merge.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { type DiscordVoice, discordVoice } from '../../src/sources/discord-voice.js';
import { decode } from '../../src/transforms/decode.js';
import { resample } from '../../src/transforms/resample.js';
import { pass, stopClocks } from '../support/clock.js';
import { encodeOpus, likeness } from '../support/opus.js';
import { samplesOf } from '../support/samples.js';
import { joined, through } from '../support/streams.js';

const FRAME = 960;

class FakeReceiver {
  readonly subscriptions = new Map<string, Readable>();
  subscribe(userId: string): Readable {
    const stream = new Readable({ objectMode: true, read() {} });
    stream.once('close', () => this.subscriptions.delete(userId));
    this.subscriptions.set(userId, stream);
    return stream;
  }
  say(userId: string, packet: unknown): void {
    this.subscriptions.get(userId)?.push(packet);
  }
}

let wide: Float32Array;
let packets: Uint8Array[];
beforeAll(async () => {
  const input = [{ channels: [await samplesOf('af_sky_10.flac')], sampleRate: 16_000 }];
  const { items } = await through(input, resample(48_000));
  wide = joined(items)[0] as Float32Array;
  packets = encodeOpus([wide]);
});

const rtp = (n: number, payload: Uint8Array, pause = 0) => ({
  payload,
  sequence: n & 0xffff,
  timestamp: (n * FRAME + pause) >>> 0,
});

/** The samples of a source that is stopped. */
async function heard(voice: DiscordVoice): Promise<Float32Array> {
  voice.stop();
  const { items, error } = await through(await voice.toArray(), decode());
  expect(error).toBeUndefined();
  return joined(items)[0] as Float32Array;
}

afterEach(() => void vi.useRealTimers());

describe('one speaker', () => {
  test('with RTP: reordered packets are put back, lost ones concealed and counted, damaged ones passed over', async () => {
    const receiver = new FakeReceiver();
    const voice = discordVoice(receiver, 'anna');
    const order = packets.slice(0, 100).map((_, n) => n);
    [order[20], order[21]] = [21, 20];
    for (const n of order) {
      if (n === 50 || n === 51) continue;
      receiver.say('anna', rtp(n, n === 70 ? Uint8Array.of(0xff, 0xff, 1) : (packets[n] as Uint8Array)));
    }
    await sleep(10);
    const samples = await heard(voice);
    expect(Math.abs(samples.length - 100 * FRAME)).toBeLessThanOrEqual(FRAME);
    expect(voice.stats).toMatchObject({ packets: 98, reordered: 1, late: 0, damaged: 1, resubscribed: 0 });
    expect(voice.stats.lostSeconds).toBeGreaterThanOrEqual(0.04);
    expect(voice.stats.concealedSeconds).toBe(voice.stats.lostSeconds);
    // Opus is 312 samples late.
    const ahead = samples.subarray(312 + 9600, 45 * FRAME);
    expect(likeness(ahead, wide.subarray(9600, 45 * FRAME - 312))).toBeGreaterThan(0.9);
    const behind = samples.subarray(312 + 80 * FRAME);
    expect(likeness(behind, wide.subarray(80 * FRAME, 80 * FRAME + behind.length))).toBeGreaterThan(0.9);
  });

  test('a pause by RTP is silence of that length, and a long loss is concealed for 100 ms only', async () => {
    const receiver = new FakeReceiver();
    const voice = discordVoice(receiver, 'anna');
    const gaps: object[] = [];
    voice.on('gap', (gap) => gaps.push(gap));
    for (let n = 0; n < 20; n++) receiver.say('anna', rtp(n, packets[n] as Uint8Array));
    for (let n = 20; n < 40; n++) receiver.say('anna', rtp(n, packets[n] as Uint8Array, 96_000));
    for (let n = 90; n < 100; n++) receiver.say('anna', rtp(n, packets[n] as Uint8Array, 96_000));
    await sleep(10);
    const samples = await heard(voice);
    expect(samples.length).toBe(100 * FRAME + 96_000);
    expect(samples.subarray(20 * FRAME + 10, 20 * FRAME + 95_000).every((x) => x === 0)).toBe(true);
    expect(voice.stats).toMatchObject({ lostSeconds: 1, concealedSeconds: 0.1 });
    expect(gaps).toEqual([
      { start: expect.closeTo(2 + 40 * 0.02 + 0.1), end: expect.closeTo(2 + 90 * 0.02) },
    ]);
  });

  test('Buffers without RTP go by the clock; who is silent has silence, so that time goes on', async () => {
    stopClocks();
    const receiver = new FakeReceiver();
    const voice = discordVoice(receiver, 'anna');
    for (let n = 0; n < 10; n++) receiver.say('anna', Buffer.from(packets[n] as Uint8Array));
    await pass(900);
    expect(voice.time).toBeGreaterThan(0.5);
    for (let n = 10; n < 20; n++) receiver.say('anna', Buffer.from(packets[n] as Uint8Array));
    await pass(10);
    const samples = await heard(voice);
    expect(samples.length / 48_000).toBeGreaterThan(1);
    expect(samples.length / 48_000).toBeLessThan(1.5);
    const quiet = samples.subarray(10 * FRAME + 960, 10 * FRAME + 960 + 9600);
    expect(quiet.every((x) => x === 0)).toBe(true);
  });

  test('a subscription that breaks is made anew, and what is said later is heard', async () => {
    const receiver = new FakeReceiver();
    const voice = discordVoice(receiver, 'anna');
    const errors: (Error | undefined)[] = [];
    voice.on('resubscribed', (error) => errors.push(error));
    receiver.say('anna', Buffer.from(packets[0] as Uint8Array));
    receiver.subscriptions.get('anna')?.destroy(new Error('Failed to parse packet'));
    await sleep(120);
    receiver.say('anna', Buffer.from(packets[1] as Uint8Array));
    await sleep(10);
    expect(errors).toMatchObject([{ message: 'Failed to parse packet' }]);
    expect(voice.stats).toMatchObject({ packets: 2, resubscribed: 1 });
    voice.stop();
    await sleep(5);
    expect(receiver.subscriptions.size).toBe(0);
    voice.resume();
    await new Promise((resolve) => voice.once('close', resolve));
  });

  test('a reader that is too slow: an error after what was heard, or a gap that keeps the times', async () => {
    const receiver = new FakeReceiver();
    const strict = discordVoice(receiver, 'anna', { maxLag: 1 });
    for (let n = 0; n < 100; n++) receiver.say('anna', rtp(n, packets[n] as Uint8Array));
    await sleep(10);
    const got: Buffer[] = [];
    await expect(
      (async () => {
        for await (const bytes of strict) got.push(bytes as Buffer);
      })(),
    ).rejects.toMatchObject({ code: 'ERR_PARAKEET_LAG' });
    expect(Buffer.concat(got).length).toBe(44 + 2 * 50 * FRAME);

    const lenient = discordVoice(receiver, 'ben', { maxLag: 1, onOverflow: 'gap' });
    const gaps: { start: number; end: number }[] = [];
    lenient.on('gap', (gap) => gaps.push(gap));
    for (let n = 0; n < 90; n++) receiver.say('ben', rtp(n, packets[n] as Uint8Array));
    await sleep(10);
    while (lenient.readableLength > 0) lenient.read();
    receiver.say('ben', rtp(90, packets[90] as Uint8Array));
    await sleep(10);
    expect(gaps).toEqual([{ start: expect.closeTo(1), end: expect.closeTo(1.8) }]);
    expect(lenient.time).toBeCloseTo(1.82);
    lenient.destroy();
  });

  test('arguments that make no sense are refused', () => {
    expect(() => discordVoice({} as FakeReceiver, 'anna')).toThrow(/connection\.receiver/);
    expect(() => discordVoice(new FakeReceiver(), '')).toThrow(/user's id/);
    expect(() => discordVoice(new FakeReceiver(), 'anna', { maxLag: -1 })).toThrow(/maxLag/);
  });
});

describe('with the model', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(bundledModel());
  });
  afterAll(() => model.close());

  test('two speakers, one of whom joins late and breaks: one transcript in the order of time', async () => {
    const receiver = new FakeReceiver();
    const began = Date.now();
    const merged = merge(null);
    const events: TranscriptEvent[] = [];
    merged.on('data', (event: TranscriptEvent) => events.push(event));
    const join = (user: string) => {
      const voice = discordVoice(receiver, user);
      const line = voice.pipe(parakeet({ model, silence: { gate: true }, latency: 'low' }));
      merged.add(user, line, { offset: (voice.startedAt - began) / 1000 });
      return voice;
    };
    const anna = join('anna');
    for (let n = 0; n < packets.length; n++) receiver.say('anna', rtp(n, packets[n] as Uint8Array));
    await sleep(300);
    const ben = join('ben');
    receiver.subscriptions.get('ben')?.destroy(new Error('broken'));
    await sleep(150);
    for (let n = 0; n < packets.length; n++) receiver.say('ben', rtp(n, packets[n] as Uint8Array));
    await sleep(100);
    anna.stop();
    ben.stop();
    merged.end();
    await new Promise((resolve) => merged.once('end', resolve));
    const words = (speaker: string) =>
      events
        .flatMap((event) => (event.type === 'token' && event.speaker === speaker ? [event.token.text] : []))
        .join('');
    const alone = (await model.transcribe(new URL('../audio/af_sky_10.flac', import.meta.url))).text;
    for (const speaker of ['anna', 'ben']) {
      expect(words(speaker).split(' ').length).toBeGreaterThan(0.6 * alone.split(' ').length);
    }
    const startsOf = (speaker: string) =>
      events.flatMap((event) =>
        event.type === 'token' && event.speaker === speaker ? [event.token.start] : [],
      );
    // Ben joined 0.3 s later, and was heard only after his subscription was made anew.
    expect((startsOf('ben')[0] as number) - (startsOf('anna')[0] as number)).toBeGreaterThan(0.3);
    for (const speaker of ['anna', 'ben']) {
      expect(startsOf(speaker)).toEqual(startsOf(speaker).toSorted((a, b) => a - b));
    }
    expect(ben.stats.resubscribed).toBe(1);
  });
});
