/** Server-sent events as an answer. It begins with the first event, so that a failure before it is an ordinary answer. */
import type { Writable } from 'node:stream';
import type { FastifyReply } from 'fastify';

export class EventStream {
  readonly #reply: FastifyReply;
  #begun = false;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
  }

  /** Whether the status has been sent. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Sends an event. Resolves when the client takes more. */
  async send(event: object): Promise<void> {
    const { raw } = this.#reply;
    if (!this.#begun) this.#begin();
    if (raw.destroyed) return;
    if (!raw.write(`data: ${JSON.stringify(event)}\n\n`)) await drained(raw);
  }

  end(): FastifyReply {
    this.#reply.raw.end();
    return this.#reply;
  }

  #begin(): void {
    this.#begun = true;
    const reply = this.#reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // nginx would collect events.
      'x-accel-buffering': 'no',
    });
  }
}

/** Resolves when the stream takes more, or never will. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
