/** Two servers of a cluster: when one is killed in the middle of a sentence, its clients go on with the other, and nobody can tell from the transcript. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { noRedis, RedisServer } from '../support/redis-server.js';
import { concat, samplesOf } from '../support/samples.js';

const RATE = 16_000;
/** Bytes of a tenth of a second. */
const PIECE = RATE / 5;
const program = fileURLToPath(new URL('../support/cluster-server.mjs', import.meta.url));

type Message = Record<string, unknown>;

let redis: RedisServer;
let sound: Buffer;
const running: ChildProcess[] = [];

if (!noRedis) {
  beforeAll(async () => {
    redis = await RedisServer.start();
    const samples = concat([await samplesOf('jfk.flac'), await samplesOf('bf_emma_06.flac')]);
    sound = Buffer.from(Int16Array.from(samples, (value) => Math.round(value * 32_767)).buffer);
  });
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await redis.empty();
  });
  afterAll(() => redis.stop());
}

const withRedis = test.skipIf(noRedis);

async function startServer(): Promise<{ child: ChildProcess; ws: string }> {
  const child = spawn(process.execPath, [program, redis.url], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  const [address] = (await once(
    createInterface({ input: child.stdout as NodeJS.ReadableStream }),
    'line',
  )) as [string];
  return { child, ws: address.replace('http', 'ws') };
}

/** A connection, and what came over it. */
class Client {
  readonly messages: Message[] = [];
  readonly closed: Promise<unknown>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data)) as Message));
    socket.on('error', () => {});
  }

  static async open(url: string): Promise<Client> {
    const socket = new WebSocket(url);
    const client = new Client(socket);
    await once(socket, 'open');
    return client;
  }

  say(message: Message): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Sends sound four times as fast as it is spoken, until all is sent or the connection is gone. */
  async send(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && this.#socket.readyState === WebSocket.OPEN; at += PIECE) {
      this.#socket.send(bytes.subarray(at, at + PIECE));
      await delay(25);
    }
  }

  async message(type: string): Promise<Message> {
    for (;;) {
      const found = this.messages.find((message) => message.type === type);
      if (found) return found;
      await delay(10);
    }
  }
}

/** What a client needs to know of a protocol. */
interface Dialect {
  connect(ws: string, session: string): Promise<{ client: Client; received: number }>;
  resume(ws: string, session: string, last: Client): Promise<{ client: Client; received: number }>;
  finish(client: Client): void;
  /** The finals, each with what tells it from others. */
  finals(messages: Message[]): [key: string, value: unknown][];
}

const deepgram: Dialect = {
  async connect(ws, session) {
    const client = await Client.open(
      `${ws}/v1/listen?encoding=linear16&sample_rate=${RATE}&interim_results=true&session=${session}`,
    );
    const { received } = await client.message('Session');
    return { client, received: Math.round((received as number) * RATE) * 2 };
  },
  resume: (ws, session) => deepgram.connect(ws, session),
  finish: (client) => client.say({ type: 'CloseStream' }),
  finals: (messages) =>
    messages
      .filter(
        ({ type, is_final, duration }) => type === 'Results' && is_final === true && (duration as number) > 0,
      )
      .map(({ start, channel }) => [String(start), channel]),
};

const captions: Dialect = {
  async connect(ws) {
    const client = await Client.open(`${ws}/v1/captions`);
    client.say({ type: 'start', sample_rate: RATE });
    return { client, received: ((await client.message('ready')).received as number) * 2 };
  },
  async resume(ws, _session, last) {
    const client = await Client.open(`${ws}/v1/captions`);
    const { session } = await last.message('ready');
    const last_event = last.messages.findLast(({ type }) => type === 'sentence')?.id;
    client.say({ type: 'resume', session, last_event });
    return { client, received: ((await client.message('ready')).received as number) * 2 };
  },
  finish: (client) => client.say({ type: 'finish' }),
  finals: (messages) =>
    messages
      .filter(({ type }) => type === 'sentence')
      .map(({ id, sentence }) => [String(id).replace(/^.*-/, ''), sentence]),
};

async function undisturbed({ connect, finish, finals }: Dialect, ws: string): Promise<[string, unknown][]> {
  const { client } = await connect(ws, 'undisturbed-1');
  await client.send(sound);
  finish(client);
  await client.closed;
  return finals(client.messages);
}

withRedis.each([
  ['Deepgram', deepgram, 10],
  ['captions', captions, 12.5],
] as const)('%s: a server that is killed in mid-sentence', async (_, dialect, seconds) => {
  const { connect, resume, finish, finals } = dialect;
  const [first, second] = await Promise.all([startServer(), startServer()]);
  const wanted = await undisturbed(dialect, second.ws);
  expect(wanted.length).toBeGreaterThan(2);

  const { client, received } = await connect(first.ws, 'moved-session-1');
  expect(received).toBe(0);
  const cut = 2 * RATE * seconds;
  await client.send(sound.subarray(0, cut));
  first.child.kill('SIGKILL');
  await client.closed;
  const before = finals(client.messages);

  const other = await resume(second.ws, 'moved-session-1', client);
  expect(other.received).toBeGreaterThan(cut / 2);
  expect(other.received).toBeLessThanOrEqual(cut);
  await other.client.send(sound.subarray(other.received));
  finish(other.client);
  await other.client.closed;
  const after = finals(other.client.messages);
  expect(before.length).toBeGreaterThan(0);
  expect(after.length).toBeGreaterThan(0);
  // Said again or not: what has one key is one thing.
  const joined = [...new Map([...before, ...after])];
  expect(joined).toEqual(wanted);
  if (dialect === captions) expect(before.length + after.length).toBe(wanted.length);
});

withRedis("a session is its own client's, and only one server has it", async () => {
  const [first, second] = await Promise.all([startServer(), startServer()]);
  const { client } = await deepgram.connect(first.ws, 'taken-session');
  await client.send(sound.subarray(0, 20 * PIECE));
  const watcher = redis.client();
  while ((await watcher.strlen('parakeet:live:taken-session:sound')) < 20 * PIECE) await delay(10);
  watcher.disconnect();
  const other = await deepgram.connect(second.ws, 'taken-session');
  expect(other.received).toBe(20 * PIECE);
  // The first one is told when more comes.
  await client.send(sound.subarray(20 * PIECE, 22 * PIECE));
  await client.closed;
  const { client: third } = await captions.connect(second.ws, '');
  const { client: stranger } = { client: await Client.open(`${second.ws}/v1/captions`) };
  stranger.say({ type: 'resume', session: 'no-such-session' });
  await stranger.closed;
  third.say({ type: 'finish' });
  await third.closed;
  deepgram.finish(other.client);
  await other.client.closed;
  const refused = await Client.open(
    `${second.ws}/v1/listen?encoding=mulaw&sample_rate=8000&session=abcdefgh`,
  ).catch(() => undefined);
  expect(refused).toBeUndefined();
});
