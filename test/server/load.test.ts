/** What the server does under load: refusals, slow readers, silent clients, its end. */

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  expectIdle,
  type Message,
  pcmOf,
  startServer,
  stateOf,
  stopServers,
  type TestServer,
  TestSocket,
  wavOf,
} from '../support/caption-server.js';
import { root } from '../support/documents.js';

let jfk: Buffer;
beforeAll(async () => {
  jfk = await pcmOf('jfk.flac');
});
afterAll(stopServers);

const LISTEN = '/v1/listen?encoding=linear16&sample_rate=16000';
const textOf = (socket: TestSocket) =>
  socket
    .of('Results')
    .filter((message) => message.is_final)
    .map(
      (message) =>
        (message as Message & { channel: { alternatives: [{ transcript: string }] } }).channel.alternatives[0]
          .transcript,
    )
    .join(' ');
/** A request whose upload does not end. */
function upload(server: TestServer, gone: AbortController) {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(wavOf(Buffer.alloc(320_000))),
  });
  const init = { method: 'POST', body, duplex: 'half', signal: gone.signal };
  return fetch(`${server.http}/v1/listen`, init as RequestInit).catch((error: Error) => error);
}

describe('without room', () => {
  test('a live client gets 1013, also before it has sent sound; when one leaves, the next may come', async () => {
    const server = await startServer({ maxStreams: 1 });
    const first = await TestSocket.open(`${server.ws}${LISTEN}`);
    await vi.waitFor(async () => expect(await stateOf(server)).toMatchObject({ ready: false, streams: 1 }));
    for (const where of [LISTEN, '/v1/realtime']) {
      const second = await TestSocket.open(`${server.ws}${where}`);
      expect(await second.closed).toMatchObject({
        code: 1013,
        reason: expect.stringMatching(/Try again later/),
      });
    }
    expect((await fetch(`${server.http}/ready`)).status).toBe(503);
    first.sound(jfk);
    first.send({ type: 'CloseStream' });
    await first.closed;
    // The one that was there has lost nothing.
    expect(textOf(first)).toMatch(/for your country/);
    await expectIdle(server);
    const third = await TestSocket.open(`${server.ws}${LISTEN}`);
    third.send({ type: 'CloseStream' });
    expect(await third.closed).toMatchObject({ code: 1000 });
  });

  test('a file gets 503 with Retry-After', async () => {
    const server = await startServer({ maxFiles: 1, maxQueue: 0 });
    const gone = new AbortController();
    const running = upload(server, gone);
    await vi.waitFor(async () => expect(await stateOf(server)).toMatchObject({ files: 1 }));
    const answer = await fetch(`${server.http}/v1/listen`, { method: 'POST', body: new Uint8Array(jfk) });
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    gone.abort();
    await running;
    await expectIdle(server);
  });

  test('the capacity is measured when it is not given', async () => {
    const server = await startServer({ maxStreams: undefined });
    expect(server.server.maxStreams).toBeGreaterThanOrEqual(1);
    expect(await stateOf(server)).toMatchObject({ max_streams: server.server.maxStreams });
  });
});

describe('clients that are slow or silent', () => {
  test('one that does not read loses drafts, then the connection; the others nothing', async () => {
    const server = await startServer();
    const query = `${LISTEN}&interim_results=true`;
    const slow = await TestSocket.open(`${server.ws}${query}`);
    const other = await TestSocket.open(`${server.ws}${LISTEN}`);
    const raw = (slow.socket as unknown as { _socket: import('node:net').Socket })._socket;
    raw.pause();
    other.sound(jfk);
    other.send({ type: 'CloseStream' });
    // Unread finalizations are answered by messages that must not be lost, until it is too much.
    const answers = setInterval(() => {
      if (slow.socket.bufferedAmount > 1e6) return;
      slow.sound(jfk.subarray(0, 32_000));
      for (let i = 0; i < 500; i++) slow.send({ type: 'Finalize' });
    }, 20);
    try {
      await expect
        .poll(async () => (await stateOf(server)).streams, { timeout: 60_000, interval: 100 })
        .toBe(0);
    } finally {
      clearInterval(answers);
      slow.socket.terminate();
    }
    expect(await other.closed).toMatchObject({ code: 1000 });
    expect(textOf(other)).toMatch(/for your country/);
  });

  test('one that is silent gets its finals, then 1008', async () => {
    const server = await startServer({ idleTimeout: 1 });
    const socket = await TestSocket.open(`${server.ws}${LISTEN}`);
    socket.sound(jfk);
    expect(await socket.closed).toMatchObject({ code: 1008, reason: expect.stringMatching(/within 1 s/) });
    expect(textOf(socket)).toMatch(/for your country/);
    const realtime = await TestSocket.open(`${server.ws}/v1/realtime`);
    expect(await realtime.closed).toMatchObject({ code: 1008 });
    await expectIdle(server);
  });

  test('KeepAlive holds the connection', async () => {
    const server = await startServer({ idleTimeout: 1 });
    const socket = await TestSocket.open(`${server.ws}${LISTEN}`);
    const alive = setInterval(() => socket.send({ type: 'KeepAlive' }), 200);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    clearInterval(alive);
    socket.sound(jfk);
    socket.send({ type: 'CloseStream' });
    expect(await socket.closed).toMatchObject({ code: 1000 });
    expect(textOf(socket)).toMatch(/for your country/);
  });

  test('an upload that stands still is ended, and its place is free', async () => {
    const server = await startServer({ idleTimeout: 1 });
    const answer = (await upload(server, new AbortController())) as Response;
    expect(answer.status).toBe(408);
    await expectIdle(server);
  });

  test('one that goes away without a word leaves nothing', async () => {
    const server = await startServer();
    const socket = await TestSocket.open(`${server.ws}${LISTEN}`);
    socket.sound(jfk);
    await socket.until('Results');
    socket.socket.terminate();
    await expectIdle(server);
  });
});

describe('frames', () => {
  test('a huge one ends its connection', async () => {
    const server = await startServer();
    const socket = await TestSocket.open(`${server.ws}${LISTEN}`);
    socket.send(Buffer.alloc(17 * 1024 * 1024));
    expect((await socket.closed).code).toBe(1009);
    await expectIdle(server);
  });

  test('malformed ones end their connection', async () => {
    const server = await startServer();
    const { port } = new URL(server.http);
    const raw = connect(Number(port), '127.0.0.1');
    const ended = new Promise((resolve) => raw.once('close', resolve));
    raw.on('error', () => {});
    raw.write(
      `GET ${LISTEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
    );
    await new Promise((resolve) => raw.once('data', resolve));
    // Reserved bits, no mask, an impossible length.
    raw.write(Buffer.from([0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    raw.resume();
    await ended;
    await expectIdle(server);
  });
});

describe('the end', () => {
  test('what is live is made final and delivered, files are finished, nothing more is taken', async () => {
    const server = await startServer();
    const socket = await TestSocket.open(`${server.ws}${LISTEN}`);
    const waiting = await TestSocket.open(`${server.ws}/v1/realtime`);
    socket.sound(jfk);
    const file = fetch(`${server.http}/v1/listen`, {
      method: 'POST',
      body: readFileSync(path.join(root, 'test/audio/jfk.flac')),
    });
    await vi.waitFor(async () => expect(await stateOf(server)).toMatchObject({ files: 1 }));
    await socket.until('Results');
    await server.server.close();
    expect(textOf(socket)).toMatch(/for your country/);
    expect(await socket.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/stopping/) });
    expect(await waiting.closed).toMatchObject({ code: 1012 });
    expect((await file).status).toBe(200);
    await expect(fetch(`${server.http}/health`)).rejects.toThrow();
    // Again: nothing happens.
    await server.server.close();
  });

  test('what does not end in time is given up', async () => {
    const server = await startServer({ stopTimeout: 0.2 });
    const running = upload(server, new AbortController());
    const socket = await TestSocket.open(`${server.ws}/v1/realtime`);
    // It does not answer that the connection is to be closed.
    (socket.socket as unknown as { _socket: import('node:net').Socket })._socket.pause();
    await vi.waitFor(async () => expect(await stateOf(server)).toMatchObject({ files: 1 }));
    await server.server.close();
    const answer = await running;
    expect(answer instanceof Error || answer.status >= 500).toBe(true);
    socket.socket.terminate();
  });
});
