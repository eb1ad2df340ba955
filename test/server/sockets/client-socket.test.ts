/** A client's socket: the order of messages, a fast sender, a slow reader. With a socket that is none, whose buffer the test decides. */
import { EventEmitter } from 'node:events';
import type { WebSocket } from '@fastify/websocket';
import { describe, expect, test } from 'vitest';
import { ClientSocket } from '../../../src/server/sockets/client-socket.js';

class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  sent: string[] = [];
  closed: [number, string] | undefined;
  send(text: string) {
    this.sent.push(text);
  }
  pause() {
    this.isPaused = true;
  }
  resume() {
    this.isPaused = false;
  }
  close(code: number, reason: string) {
    this.closed = [code, reason];
  }
  terminate() {
    this.emit('close');
  }
}

function setUp(onMessage: (data: Buffer, isBinary: boolean) => Promise<void> | void = () => {}) {
  const fake = new FakeSocket();
  const seen = { errors: [] as unknown[], closes: 0, dropped: 0 };
  const socket = new ClientSocket(fake as unknown as WebSocket, () => {
    seen.dropped++;
  });
  socket.handle({
    onMessage,
    onError: (error) => seen.errors.push(error),
    onClose: () => {
      seen.closes++;
    },
  });
  return { fake, socket, seen };
}
const turn = () => new Promise(setImmediate);

describe('what comes', () => {
  test('is handled one after the other, also behind one that fails', async () => {
    const order: string[] = [];
    const { fake, seen } = setUp(async (data) => {
      order.push(`begin ${data}`);
      await turn();
      if (String(data) === 'b') throw new Error('b failed');
      order.push(`end ${data}`);
    });
    for (const text of ['a', 'b', 'c']) fake.emit('message', Buffer.from(text), false);
    for (let i = 0; i < 10; i++) await turn();
    expect(order).toEqual(['begin a', 'end a', 'begin b', 'begin c', 'end c']);
    expect(seen.errors).toEqual([new Error('b failed')]);
  });

  test('in pieces and as an ArrayBuffer is bytes', async () => {
    const got: string[] = [];
    const { fake } = setUp((data) => void got.push(data.toString()));
    fake.emit('message', [Buffer.from('a'), Buffer.from('b')], true);
    fake.emit('message', new Uint8Array([99]).buffer, true);
    await turn();
    expect(got).toEqual(['ab', 'c']);
  });

  test('faster than it is handled slows the sender down, and nothing is lost', async () => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    let bytes = 0;
    const { fake } = setUp(async (data) => {
      await gate;
      bytes += data.length;
    });
    for (let i = 0; i < 5; i++) fake.emit('message', Buffer.alloc(100_000), true);
    expect(fake.isPaused).toBe(true);
    go();
    for (let i = 0; i < 10; i++) await turn();
    expect(bytes).toBe(500_000);
    expect(fake.isPaused).toBe(false);
  });

  test('empty messages slow it down as well', () => {
    const { fake } = setUp(() => new Promise(() => {}));
    for (let i = 0; i < 10_000; i++) fake.emit('message', Buffer.alloc(0), true);
    expect(fake.isPaused).toBe(true);
  });
});

describe('a reader', () => {
  test('that is behind loses drafts, and no final', () => {
    const { fake, socket, seen } = setUp();
    fake.bufferedAmount = 100_000;
    socket.sendDraft({ draft: 1 });
    socket.send({ final: 1 });
    expect(fake.sent).toEqual(['{"final":1}']);
    expect(seen.dropped).toBe(1);
    fake.bufferedAmount = 0;
    socket.sendDraft({ draft: 2 });
    expect(fake.sent.at(-1)).toBe('{"draft":2}');
  });

  test('that is a megabyte behind is closed, once, with the reason', () => {
    const { fake, socket, seen } = setUp();
    fake.bufferedAmount = 2 ** 20 + 1;
    socket.send({ final: 1 });
    socket.send({ final: 2 });
    expect(fake.sent).toEqual([]);
    expect(fake.closed).toEqual([1008, 'The client reads too slowly']);
    expect(seen.errors).toEqual([expect.objectContaining({ code: 'ERR_PARAKEET_SERVER_LIMIT' })]);
    expect(socket.open).toBe(false);
  });
});

test('a reason is cut to what the protocol allows, between characters', () => {
  const { fake, socket } = setUp();
  socket.close(1008, 'ü'.repeat(100));
  expect(Buffer.byteLength(fake.closed?.[1] as string)).toBeLessThanOrEqual(123);
  expect(fake.closed?.[1]).toMatch(/^ü+$/);
});

test('after the end nothing is handled or sent', async () => {
  let handled = 0;
  const { fake, socket, seen } = setUp(() => {
    handled++;
  });
  fake.emit('close');
  fake.emit('message', Buffer.from('a'), false);
  socket.send({ a: 1 });
  await turn();
  expect([handled, fake.sent, seen.closes]).toEqual([0, [], 1]);
});
