/** Answers to requests that fail, in OpenAI's form; a protocol with another form sets its own handler with {@link prepareFailure}. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Failure, logFailure } from './failures.js';
import type { ServerMetrics } from './metrics.js';

/** Milliseconds for the rest of an upload that is not wanted. */
const DISCARD_MS = 10_000;

/** Counts and logs a failure, and sets its status and headers. The body is the caller's. */
export function prepareFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  metrics: ServerMetrics,
): Failure {
  const failure = logFailure(request.log, error, 'request');
  metrics.failed(error);
  reply.code(failure.status);
  if (failure.retryAfter !== undefined) reply.header('retry-after', String(failure.retryAfter));
  if (failure.status === 401) reply.header('www-authenticate', 'Bearer');
  discardRest(request.raw);
  return failure;
}

/** Reads what is left of an upload and drops it: a client that cannot send it to its end would never read the answer. */
function discardRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.unpipe();
  request.resume();
  const limit = setTimeout(() => request.destroy(), DISCARD_MS);
  limit.unref();
  request.once('close', () => clearTimeout(limit));
}

/** The body of OpenAI's errors. */
export function openaiError({ status, code, message }: Failure, param: string | null = null): object {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  return { error: { message, type, param, code } };
}

export function installErrors(app: FastifyInstance, metrics: ServerMetrics): void {
  app.setErrorHandler((error, request, reply) =>
    reply.send(openaiError(prepareFailure(error, request, reply, metrics))),
  );
  app.setNotFoundHandler((request, reply) => {
    const message = `Expected an address of this server but received ${request.method} ${pathOf(request.url)}`;
    const failure = { status: 404, closeCode: 1008, code: 'not_found', message, retryAfter: undefined };
    return reply.code(404).send(openaiError(failure));
  });
}

/** Without the query, in which a ticket may stand. */
export function pathOf(url: string): string {
  return url.split('?')[0] as string;
}
