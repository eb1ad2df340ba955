/** A caption server on this machine with the bundled model, and a WebSocket that collects what it says. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, vi } from 'vitest';
import WebSocket from 'ws';
import { loadModel, type Model } from '../../src/index.js';
import { type CaptionServer, createServer, type ServerOptions } from '../../src/server/index.js';
import { samplesOf } from './samples.js';
import { wavFile } from './wav-file.js';

export type Message = Record<string, unknown> & { type?: string };

/** A server that listens; `http` and `ws` are its addresses. */
export interface TestServer {
  server: CaptionServer;
  http: string;
  ws: string;
}

const servers: CaptionServer[] = [];
let model: Promise<Model> | undefined;

/** Starts a server on a free port; {@link stopServers} ends it. @param prepare Adds routes before it listens. */
export async function startServer(
  options: ServerOptions = {},
  prepare: (server: CaptionServer) => void = () => {},
): Promise<TestServer> {
  model ??= loadModel();
  const server = await createServer({ model: await model, port: 0, maxStreams: 8, ...options });
  servers.push(server);
  prepare(server);
  const http = await server.listen();
  return { server, http, ws: http.replace(/^http/, 'ws') };
}

/** Ends all servers of a test file, and frees the model. */
export async function stopServers(): Promise<void> {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await (await model)?.close();
  model = undefined;
}

/** What `GET /ready` says. */
export async function stateOf({ http }: TestServer): Promise<Record<string, unknown>> {
  // A certificate of the test's own is trusted by the programs that it starts only.
  const { get } = await import(http.startsWith('https') ? 'node:https' : 'node:http');
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${http}/ready`, { rejectUnauthorized: false }, resolve).on('error', reject);
  });
  return (await json(answer)) as Record<string, unknown>;
}

/** Resolves when no live transcript and no file is left. */
export async function expectIdle(server: TestServer): Promise<void> {
  await vi.waitFor(
    async () => expect(await stateOf(server)).toMatchObject({ streams: 0, files: 0, queued: 0 }),
    {
      timeout: 30_000,
      interval: 20,
    },
  );
}

/** A recording of test/audio as 16-bit PCM. */
export async function pcmOf(file: string, rate = 16_000): Promise<Buffer> {
  const samples = await samplesOf(file, rate);
  const pcm = Buffer.alloc(2 * samples.length);
  for (const [i, sample] of samples.entries())
    pcm.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), 2 * i);
  return pcm;
}

/** Sound in µ-law, from 16-bit PCM. */
export function muLawOf(pcm: Buffer): Buffer {
  const out = Buffer.alloc(pcm.length / 2);
  for (let i = 0; i < out.length; i++) {
    const sample = pcm.readInt16LE(2 * i);
    const magnitude = Math.min(32_635, Math.abs(sample)) + 132;
    const exponent = Math.floor(Math.log2(magnitude)) - 7;
    const code = (exponent << 4) | ((magnitude >> (exponent + 3)) & 15);
    out[i] = ~((sample < 0 ? 0x80 : 0) | code) & 0xff;
  }
  return out;
}

/** A WebSocket that keeps its messages. */
export class TestSocket {
  readonly messages: Message[] = [];
  /** The code and reason of its end. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.messages.push(JSON.parse(String(data)) as Message));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** Rejects when the server refuses the connection. */
  static async open(
    url: string,
    protocols: string[] = [],
    options: WebSocket.ClientOptions = {},
  ): Promise<TestSocket> {
    const test = new TestSocket(new WebSocket(url, protocols, options));
    await once(test.socket, 'open');
    return test;
  }

  send(message: object | Buffer | string): void {
    this.socket.send(
      typeof message === 'object' && !Buffer.isBuffer(message) ? JSON.stringify(message) : message,
    );
  }

  /** Sends sound in pieces of so many bytes. */
  sound(pcm: Buffer, piece = 3200): void {
    for (let at = 0; at < pcm.length; at += piece) this.send(pcm.subarray(at, at + piece));
  }

  of(type: string): Message[] {
    return this.messages.filter((message) => message.type === type);
  }

  /** The first message of a type, as soon as it is there. */
  async until(type: string): Promise<Message> {
    await vi.waitFor(() => expect(this.messages.map((message) => message.type)).toContain(type), {
      timeout: 30_000,
      interval: 5,
    });
    return this.of(type)[0] as Message;
  }
}

/** 16-bit PCM at 16 kHz as a WAV file. */
export function wavOf(pcm: Buffer): Buffer<ArrayBuffer> {
  const samples = Float32Array.from({ length: pcm.length / 2 }, (_, i) => pcm.readInt16LE(2 * i) / 32_768);
  return Buffer.from(wavFile([samples], { sampleRate: 16_000 }));
}
