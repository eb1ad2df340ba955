/** A small server that speaks as much of S3's protocol as reading and writing objects needs; it keeps them in memory, and checks no signature. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export class S3Server {
  /** By `bucket/key`. */
  readonly objects = new Map<string, Buffer>();
  /** Ranges that were asked for. */
  readonly ranges: string[] = [];
  /** Statuses to answer the next writes with. */
  readonly refusals: number[] = [];
  /** Objects whose content breaks off in the middle. */
  readonly broken = new Set<string>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<S3Server> {
    const server = new S3Server();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = decodeURIComponent(new URL(request.url ?? '', this.url).pathname.slice(1));
    if (request.method === 'PUT') {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const refusal = this.refusals.shift();
      if (refusal !== undefined) return fail(response, refusal, 'AccessDenied');
      this.objects.set(name, Buffer.concat(pieces));
      response.writeHead(200, { etag: tagOf(Buffer.concat(pieces)) }).end();
      return;
    }
    const object = this.objects.get(name);
    if (!object) return fail(response, 404, 'NoSuchKey');
    const tag = tagOf(object);
    const match = request.headers['if-match'];
    if (match !== undefined && match !== tag) return fail(response, 412, 'PreconditionFailed');
    if (this.broken.has(name) && request.method === 'GET') return breakOff(response, object, { etag: tag });
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    if (range) this.ranges.push(range[0]);
    const part = range ? object.subarray(Number(range[1]), Number(range[2]) + 1) : object;
    response.writeHead(range ? 206 : 200, {
      etag: tag,
      'content-length': part.length,
      ...(range && { 'content-range': `bytes ${range[1]}-${range[2]}/${object.length}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : part);
  }
}

/** Answers with the first half of these bytes, and closes the connection. */
export function breakOff(
  response: ServerResponse,
  bytes: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(200, { 'content-length': bytes.length, ...headers });
  response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(() => response.destroy(), 20));
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

function tagOf(bytes: Buffer): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}
