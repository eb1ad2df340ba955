/** Rooms over HTTP, and the page's own protocol, whose sessions outlive their connections. */
import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  expectIdle,
  type Message,
  pcmOf,
  startServer,
  stopServers,
  type TestServer,
  TestSocket,
} from '../support/caption-server.js';

let server: TestServer;
let sound: Buffer;
beforeAll(async () => {
  server = await startServer();
  sound = await pcmOf('jfk.flac');
});
afterAll(stopServers);

const connect = (at = server, protocols: string[] = []) => TestSocket.open(`${at.ws}/v1/captions`, protocols);
const start = (more: object = {}) => ({ type: 'start', sample_rate: 16_000, ...more });
const textOf = (...sockets: TestSocket[]) =>
  sockets
    .flatMap((socket) => socket.of('sentence'))
    .map((message) => (message.sentence as { text: string }).text)
    .join(' ');

/** The events of a room as a browser reads them, until the connection is closed. */
class Events {
  readonly list: { event: string; id: string | undefined; data: Message }[] = [];
  readonly ended: Promise<void>;
  close = () => {};

  constructor(url: string, headers: Record<string, string> = {}) {
    this.ended = new Promise((resolve, reject) => {
      const request = get(url, { headers }, (answer) => {
        let text = '';
        if (answer.statusCode !== 200) reject(new Error(`status ${answer.statusCode}`));
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
          const whole = text.split('\n\n');
          text = whole.pop() as string;
          for (const block of whole) this.#take(block);
        });
        answer.once('close', () => resolve());
      });
      request.on('error', () => resolve());
      this.close = () => request.destroy();
    });
  }

  of(event: string) {
    return this.list.filter((one) => one.event === event);
  }

  get text(): string {
    return this.of('sentence')
      .map(({ data }) => data.text)
      .join(' ');
  }

  #take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const event = field('event');
    if (event !== undefined)
      this.list.push({ event, id: field('id'), data: JSON.parse(field('data') ?? '{}') });
  }
}

/** Resolves when everything before a second is final, so that the sound has arrived. */
const reached = (socket: TestSocket, seconds: number) =>
  vi.waitFor(() => expect(socket.of('progress').some(({ time }) => (time as number) >= seconds)).toBe(true), {
    timeout: 30_000,
  });

/** Publishes the recording in a room, and waits for its end. */
async function publish(room: string, at = server): Promise<TestSocket> {
  const socket = await connect(at);
  socket.send(start({ room }));
  socket.sound(sound);
  socket.send({ type: 'finish' });
  await socket.until('end');
  return socket;
}

describe('a room', () => {
  test('shows what is published in it, as events and as files', async () => {
    const events = new Events(`${server.http}/rooms/talk/events`);
    const socket = await publish('talk');
    await vi.waitFor(() => expect(events.of('state').at(-1)?.data).toEqual({ live: false }));
    const heard = textOf(socket);
    expect(heard).toMatch(/your country/);
    expect(events.text).toBe(heard);
    expect(events.of('draft').length).toBeGreaterThan(3);
    events.close();
    const read = async (path: string) => {
      const answer = await fetch(`${server.http}/rooms/talk${path}`);
      expect(answer.status).toBe(200);
      return { type: answer.headers.get('content-type'), text: await answer.text() };
    };
    expect((await read('.txt')).text.trim().split('\n').join(' ')).toBe(heard);
    const vtt = await read('.vtt');
    expect(vtt.type).toBe('text/vtt; charset=utf-8');
    const bare = vtt.text.replace(/^WEBVTT\n|^\d.*-->.*$/gm, '').trim();
    expect(bare.split(/\s+/).join(' ')).toBe(heard);
    expect((await read('.srt')).text).toMatch(/^1\n00:00:/);
    expect(JSON.parse((await read('.json')).text).text).toBe(heard);
    const list = await read('/live.m3u8?mpegts=126000');
    expect(list.type).toBe('application/vnd.apple.mpegurl');
    const segments = [...list.text.matchAll(/^live\/.*$/gm)].map(([path]) => path);
    expect(segments).toEqual(['live/0.vtt?mpegts=126000', 'live/1.vtt?mpegts=126000']);
    const first = await read(`/${segments[0]}`);
    expect(first.text).toMatch(/^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:126000,LOCAL:00:00:00.000\n/);
    expect(list.text).toContain('#EXT-X-ENDLIST');
  });

  test('gives a viewer that comes back what it has not seen', async () => {
    await publish('again');
    const all = new Events(`${server.http}/rooms/again/events`);
    await vi.waitFor(() => expect(all.of('sentence').length).toBeGreaterThan(1));
    const [first] = all.of('sentence');
    const rest = new Events(`${server.http}/rooms/again/events`, { 'last-event-id': first?.id ?? '' });
    await vi.waitFor(() => expect(rest.of('sentence').length).toBe(all.of('sentence').length - 1));
    expect(rest.of('sentence')).toEqual(all.of('sentence').slice(1));
    all.close();
    rest.close();
  });

  test.each([
    '/rooms/unknown.vtt',
    '/rooms/unknown/live.m3u8',
    '/rooms/unknown/live/0.vtt',
    '/rooms/a%2Fb.vtt',
  ])('%s is not found', async (path) => {
    expect((await fetch(server.http + path)).status).toBe(404);
  });

  test('refuses a name that cannot stand in an address', async () => {
    const socket = await connect();
    socket.send(start({ room: '../etc' }));
    expect(await socket.until('error')).toMatchObject({ code: 'ERR_PARAKEET_SERVER_PROTOCOL' });
    expect((await socket.closed).code).toBe(1008);
  });

  test('refuses time stamps that no video has', async () => {
    await publish('stamps');
    const status = async (query: string) =>
      (await fetch(`${server.http}/rooms/stamps/live/0.vtt?mpegts=${query}`)).status;
    expect(await status('-1')).toBe(400);
    expect(await status('9999999999')).toBe(400);
    expect(await status('0')).toBe(200);
  });

  test('may be watched with a ticket, and by nobody without, where the server has tokens', async () => {
    const token = 'a-token-of-20-letters';
    const guarded = await startServer({ tokens: [{ name: 'studio', token }] });
    const events = (query: string) => fetch(`${guarded.http}/rooms/secret/events${query}`);
    expect((await events('')).status).toBe(401);
    expect((await events(`?ticket=${token}`)).status).toBe(401);
    const answer = await fetch(`${guarded.http}/v1/tickets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ room: 'secret' }),
    });
    const { ticket } = (await answer.json()) as { ticket: string };
    const allowed = await events(`?ticket=${ticket}`);
    expect(allowed.status).toBe(200);
    await allowed.body?.cancel();
    expect((await fetch(`${guarded.http}/rooms/other/events?ticket=${ticket}`)).status).toBe(401);
    // The page itself is no secret.
    expect((await fetch(`${guarded.http}/rooms/secret`)).status).toBe(200);
  });

  test('ends for its viewers when the server stops, behind the last words', async () => {
    const other = await startServer();
    const events = new Events(`${other.http}/rooms/last/events`);
    const socket = await connect(other);
    socket.send(start({ room: 'last' }));
    socket.sound(sound);
    await reached(socket, 9);
    await other.server.close();
    await events.ended;
    expect(events.text).toMatch(/your country/);
    expect(events.list.at(-1)?.event).toBe('end');
  });
});

describe('a session of the page', () => {
  test('goes on over another connection as if nothing had happened', async () => {
    const whole = await publish('whole');
    const one = await connect();
    one.send(start({ room: 'broken' }));
    const part = Math.floor(sound.length / 8) * 6;
    one.sound(sound.subarray(0, part));
    const { session } = await one.until('ready');
    await one.until('sentence');
    one.socket.terminate();
    const two = await connect();
    const lastEvent = one.of('sentence').at(-1)?.id;
    two.send({ type: 'resume', session, ...(lastEvent !== undefined && { last_event: lastEvent }) });
    const { received } = (await two.until('ready')) as { received?: number };
    expect(received).toBeLessThanOrEqual(part / 2);
    two.sound(sound.subarray(2 * (received as number)));
    two.send({ type: 'finish' });
    await two.until('end');
    expect(textOf(one, two)).toBe(textOf(whole));
  });

  test('that has ended while its client was away still delivers', async () => {
    const one = await connect();
    one.send(start());
    one.sound(sound);
    one.send({ type: 'finish' });
    const { session } = await one.until('ready');
    await reached(one, 10);
    one.socket.terminate();
    await expectIdle(server);
    const two = await connect();
    two.send({ type: 'resume', session });
    await two.until('end');
    expect(textOf(two)).toMatch(/your country/);
    expect((await two.closed).code).toBe(1000);
  });

  test.each([
    ['its client closes the connection', (socket: TestSocket) => socket.socket.close(1000)],
    ['its page is left', (socket: TestSocket) => socket.socket.close(1001)],
    ['its client sends nonsense', (socket: TestSocket) => socket.send('nonsense')],
  ])('is over when %s, and holds no place', async (_, leave) => {
    const socket = await connect();
    socket.send(start());
    socket.sound(sound.subarray(0, 64_000));
    await reached(socket, 0.5);
    leave(socket);
    await expectIdle(server);
  });

  test('without a second of sound is not kept for a client that is gone', async () => {
    const socket = await connect();
    socket.send(start());
    await socket.until('ready');
    socket.socket.terminate();
    await expectIdle(server);
  });

  test('tells which phrases the model cannot spell, and goes on', async () => {
    const socket = await connect();
    socket.send(start({ phrases: ['fellow Americans', '☃☃'] }));
    expect(await socket.until('ignored')).toEqual({ type: 'ignored', phrases: ['☃☃'] });
    socket.send({ type: 'phrases', phrases: ['☃', ''] });
    socket.sound(sound);
    socket.send({ type: 'finish' });
    await socket.until('end');
    expect(textOf(socket)).toMatch(/your country/);
  });

  test.each([
    ['no JSON', 'hello'],
    ['an unknown type', { type: 'dance' }],
    ['sound before start', Buffer.alloc(640)],
    ['half a sample', Buffer.alloc(641), true],
    ['a rate of no microphone', start({ sample_rate: 7 })],
    ['phrases that are none', start({ phrases: 'hello' })],
    ['a second start', start(), true],
    ['a session that is not kept', { type: 'resume', session: 'x' }],
    ['a resumption in the middle', { type: 'resume', session: 'x' }, true],
  ] as [string, object | Buffer | string, boolean?][])('is refused for %s', async (_, message, started) => {
    const socket = await connect();
    if (started) socket.send(start());
    socket.send(message);
    const { code } = await socket.until('error');
    expect(code).toMatch(/^ERR_PARAKEET_(SERVER_PROTOCOL|INVALID_ARGUMENT)$/);
    expect((await socket.closed).code).toBe(1008);
  });
});
