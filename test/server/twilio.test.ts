/** Twilio's Media Streams: messages in the shapes that Twilio documents, with the sound of a call in µ-law. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  expectIdle,
  muLawOf,
  pcmOf,
  startServer,
  stopServers,
  type TestServer,
  TestSocket,
} from '../support/caption-server.js';

let server: TestServer;
let caller: Buffer;
let agent: Buffer;
beforeAll(async () => {
  server = await startServer();
  caller = muLawOf(await pcmOf('jfk.flac', 8000));
  agent = muLawOf(await pcmOf('am_michael_05.flac', 8000));
});
afterAll(stopServers);

const CALL = 'CA0123456789abcdef0123456789abcdef';
const STREAM = 'MZ0123456789abcdef0123456789abcdef';
/** Bytes of 20 ms, as Twilio sends them. */
const PIECE = 160;

const startMessage = (tracks: string[], customParameters: object = {}) => ({
  event: 'start',
  sequenceNumber: '1',
  start: {
    accountSid: 'AC0123456789abcdef0123456789abcdef',
    streamSid: STREAM,
    callSid: CALL,
    tracks,
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    customParameters,
  },
  streamSid: STREAM,
});
const media = (track: string, sound: Buffer, milliseconds: number) => ({
  event: 'media',
  sequenceNumber: '2',
  media: { track, chunk: '1', timestamp: String(milliseconds), payload: sound.toString('base64') },
  streamSid: STREAM,
});

function speak(socket: TestSocket, track: string, sound: Buffer, from = 0): void {
  for (let at = 0; at < sound.length; at += PIECE)
    socket.send(media(track, sound.subarray(at, at + PIECE), from + at / 8));
}

async function connect(...messages: object[]): Promise<TestSocket> {
  const socket = await TestSocket.open(`${server.ws}/v1/twilio`);
  socket.send({ event: 'connected', protocol: 'Call', version: '1.0.0' });
  for (const message of messages) socket.send(message);
  return socket;
}

async function sentencesOf(room: string, at = server) {
  const answer = await fetch(`${at.http}/rooms/${room}.json`);
  return ((await answer.json()) as { sentences: { speaker: string; text: string; start: number }[] })
    .sentences;
}

describe('a call', () => {
  test('is published in a room of its name, each track as a speaker, at its time', async () => {
    const socket = await connect(startMessage(['inbound', 'outbound'], { inbound: 'Caller' }));
    speak(socket, 'inbound', caller);
    // Nothing is sent for a track that is silent.
    speak(socket, 'outbound', agent, 12_000);
    socket.send({ event: 'dtmf', streamSid: STREAM, dtmf: { track: 'inbound_track', digit: '1' } });
    socket.send({ event: 'mark', streamSid: STREAM, mark: { name: 'x' } });
    socket.send({ event: 'stop', streamSid: STREAM, stop: { callSid: CALL } });
    expect((await socket.closed).code).toBe(1000);
    await expectIdle(server);
    const sentences = await sentencesOf(CALL);
    const of = (speaker: string) => sentences.filter((sentence) => sentence.speaker === speaker);
    expect(
      of('Caller')
        .map(({ text }) => text)
        .join(' '),
    ).toMatch(/your country/);
    expect(of('outbound')[0]?.text).toMatch(/born on April/);
    expect(of('outbound')[0]?.start).toBeGreaterThan(11.5);
    // Twilio breaks off at messages that it does not know.
    expect(socket.messages).toEqual([]);
  });

  test('that breaks off leaves what was said', async () => {
    const socket = await connect(startMessage(['inbound'], { room: 'support-7' }));
    speak(socket, 'inbound', caller);
    socket.socket.close();
    await expectIdle(server);
    expect((await sentencesOf('support-7')).length).toBeGreaterThan(0);
  });

  test('needs a token in its parameters where the server has tokens', async () => {
    const token = 'a-token-of-20-letters';
    const guarded = await startServer({ tokens: [{ name: 'phone', token }] });
    const begin = async (parameters: object) => {
      const socket = await TestSocket.open(`${guarded.ws}/v1/twilio`);
      socket.send(startMessage(['inbound'], parameters));
      return socket;
    };
    expect((await (await begin({})).closed).code).toBe(1008);
    expect((await (await begin({ token: 'another-token-of-letters' })).closed).code).toBe(1008);
    const socket = await begin({ token });
    await vi.waitFor(async () => {
      const answer = await fetch(`${guarded.http}/rooms/${CALL}.json`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.status).toBe(200);
    });
    socket.socket.close();
    await expectIdle(guarded);
  });

  test.each([
    [
      'another encoding',
      {
        ...startMessage(['inbound']),
        start: { callSid: CALL, tracks: ['inbound'], mediaFormat: { encoding: 'mp3', sampleRate: 8000 } },
      },
    ],
    ['a track that is none', startMessage(['both'])],
    ['no track', startMessage([])],
    ['a room that cannot stand in an address', startMessage(['inbound'], { room: '../x' })],
    ['sound before start', media('inbound', Buffer.alloc(160), 0)],
    ['an unknown event', { event: 'dance' }],
  ])('is refused for %s', async (_, message) => {
    const socket = await connect(message);
    expect((await socket.closed).code).toBe(1008);
    await expectIdle(server);
  });

  test('with a wrong time stamp gets half a minute of silence at most', async () => {
    const socket = await connect(startMessage(['inbound'], { room: 'late' }));
    socket.send(media('inbound', agent, 1e12));
    socket.send({ event: 'stop' });
    await socket.closed;
    await expectIdle(server);
    expect((await sentencesOf('late'))[0]?.start).toBeLessThan(31);
  });
});
