/**
 * Random messages and random ends: a client that sends nonsense gets a protocol error, and nothing else happens; clients that come and go at
 * any moment leave nothing. A few here; `npm run fuzz:server` makes 10,000 messages a protocol and 1,000 connections.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { random } from '../../bench/mixes.mjs';
import {
  expectIdle,
  type Message,
  pcmOf,
  startServer,
  stopServers,
  type TestServer,
  TestSocket,
} from '../support/caption-server.js';
import { seed } from '../support/seed.js';

const MESSAGES = Number(process.env.PARAKEET_FUZZ_MESSAGES ?? 400);
const CONNECTIONS = Number(process.env.PARAKEET_FUZZ_CONNECTIONS ?? 60);
/** So many connections at a time, of which some are beyond the capacity. */
const AT_ONCE = 10;

let server: TestServer;
let jfk: Buffer;
beforeAll(async () => {
  server = await startServer();
  jfk = await pcmOf('jfk.flac');
});
afterAll(stopServers);

const next = random(Number.isFinite(seed) ? seed : 1);
const below = (count: number) => Math.floor(next() * count);
const oneOf = <T>(items: readonly T[]): T => items[below(items.length)] as T;
const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => below(256)));

/** The messages that a protocol has, which are bent and broken. */
const PROTOCOLS: Record<string, { path: string; messages: Message[]; keys: string[] }> = {
  deepgram: {
    path: '/v1/listen?encoding=linear16&sample_rate=16000&interim_results=true&vad_events=true',
    messages: [{ type: 'KeepAlive' }, { type: 'Finalize' }, { type: 'CloseStream' }],
    keys: ['type', 'channel'],
  },
  'deepgram, containers': {
    path: '/v1/listen?interim_results=true',
    messages: [{ type: 'KeepAlive' }, { type: 'Finalize' }],
    keys: ['type'],
  },
  openai: {
    path: '/v1/realtime?intent=transcription',
    messages: [
      {
        type: 'session.update',
        session: { type: 'transcription', audio: { input: { turn_detection: null } } },
      },
      { type: 'transcription_session.update', session: { input_audio_format: 'pcm16', turn_detection: {} } },
      { type: 'input_audio_buffer.append', audio: bytes(960).toString('base64') },
      { type: 'input_audio_buffer.commit' },
      { type: 'input_audio_buffer.clear' },
    ],
    keys: [
      'type',
      'session',
      'audio',
      'event_id',
      'input',
      'format',
      'turn_detection',
      'transcription',
      'prompt',
    ],
  },
};

Object.assign(PROTOCOLS, {
  captions: {
    path: '/v1/captions',
    messages: [
      { type: 'start', sample_rate: 16_000, room: 'random', phrases: ['hello'] },
      { type: 'resume', session: 'x' },
      { type: 'phrases', phrases: ['hello'] },
      { type: 'keep_alive' },
      { type: 'finish' },
    ],
    keys: ['type', 'sample_rate', 'room', 'phrases', 'offset', 'session', 'last_event'],
  },
  twilio: {
    path: '/v1/twilio',
    messages: [
      { event: 'connected' },
      {
        event: 'start',
        start: {
          callSid: 'CA0',
          tracks: ['inbound'],
          mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000 },
        },
      },
      {
        event: 'media',
        media: { track: 'inbound', timestamp: '20', payload: bytes(160).toString('base64') },
      },
      { event: 'stop' },
    ],
    keys: ['event', 'start', 'media', 'track', 'tracks', 'payload', 'timestamp', 'customParameters'],
  },
} satisfies typeof PROTOCOLS);

/** Any value, with the keys and values that the protocol knows among others. */
function anything(keys: readonly string[], depth = 0): unknown {
  const kinds = [
    () => below(1e9) - 5e8,
    () =>
      oneOf([null, true, false, Number.MAX_VALUE, -0, '', '\u0000', '__proto__', 'a'.repeat(below(3000))]),
    () => bytes(below(40)).toString('latin1'),
    () => Array.from({ length: below(4) }, () => anything(keys, depth + 1)),
    () =>
      Object.fromEntries(Array.from({ length: below(4) }, () => [oneOf(keys), anything(keys, depth + 1)])),
  ];
  return oneOf(depth > 3 ? kinds.slice(0, 3) : kinds)();
}

function message(protocol: string): string | Buffer {
  const { messages, keys } = PROTOCOLS[protocol] as (typeof PROTOCOLS)[string];
  const valid = { ...oneOf(messages) };
  const kinds = [
    () => JSON.stringify(valid),
    () => JSON.stringify({ ...valid, [oneOf(keys)]: anything(keys) }),
    () => JSON.stringify(anything(keys)) ?? 'undefined',
    () => JSON.stringify(valid).slice(0, below(30)),
    () => '['.repeat(below(5000)),
    () => bytes(below(2000)),
    () => bytes(below(200)).toString('latin1'),
  ];
  return oneOf(kinds)();
}

/** Another client, which must not notice anything. */
async function expectService(): Promise<void> {
  const socket = await TestSocket.open(`${server.ws}/v1/listen?encoding=linear16&sample_rate=16000`);
  socket.sound(jfk);
  socket.send({ type: 'CloseStream' });
  expect(await socket.closed).toMatchObject({ code: 1000 });
  expect(JSON.stringify(socket.of('Results'))).toMatch(/do for your country/);
}

test.each(Object.keys(PROTOCOLS))('%s: random messages', { timeout: 3_600_000 }, async (protocol) => {
  const codes = new Set<number>();
  for (let sent = 0; sent < MESSAGES; ) {
    const socket = await TestSocket.open(`${server.ws}${PROTOCOLS[protocol]?.path}`);
    const few = 1 + below(20);
    for (let i = 0; i < few; i++, sent++) socket.send(message(protocol));
    // Some leave before they are answered.
    if (next() < 0.5) await delay(20);
    if (next() < 0.3) socket.socket.terminate();
    else socket.socket.close();
    codes.add((await socket.closed).code);
  }
  // Never an error of ours, which would be 1011.
  expect([...codes].filter((code) => ![1000, 1003, 1005, 1006, 1007, 1008, 1013].includes(code))).toEqual([]);
  await expectIdle(server);
  await expectService();
});

test('clients that come and go at any moment leave nothing', { timeout: 3_600_000 }, async () => {
  const children = childrenOfThis();
  let begun = 0;
  const client = async () => {
    while (begun < CONNECTIONS) {
      begun++;
      const { path } = PROTOCOLS[oneOf(Object.keys(PROTOCOLS))] as (typeof PROTOCOLS)[string];
      const socket = await TestSocket.open(`${server.ws}${path}`);
      socket.sound(jfk.subarray(0, below(jfk.length)), 3200);
      if (path.includes('realtime')) {
        const audio = jfk.subarray(0, below(100_000)).toString('base64');
        socket.send({ type: 'input_audio_buffer.append', audio });
      }
      await delay(below(300));
      const ends = [
        () => socket.socket.terminate(),
        () => socket.socket.close(),
        () => socket.send({ type: 'CloseStream' }),
        () => socket.send({ type: 'Finalize' }),
      ];
      oneOf(ends)();
      await delay(below(50));
      socket.socket.terminate();
      await socket.closed;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  await expectIdle(server);
  const { count } = await new Promise<{ count: number }>((resolve) => {
    server.server.fastify.server.getConnections((_, connections) => resolve({ count: connections }));
  });
  // The one that asked for the state may still be kept alive.
  expect(count).toBeLessThanOrEqual(1);
  expect(childrenOfThis()).toEqual(children);
  await expectService();
});

/** Processes that this one has started, on Linux. */
function childrenOfThis(): string {
  if (process.platform !== 'linux') return '';
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
}
