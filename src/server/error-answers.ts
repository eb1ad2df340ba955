/** Answers to requests that fail, in OpenAI's form; a protocol with another form sets its own handler with {@link prepareFailure}. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Failure, failureOf } from './failures.js';
import type { ServerMetrics } from './metrics.js';

/** Counts and logs a failure, and sets its status and headers. The body is the caller's. */
export function prepareFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  metrics: ServerMetrics,
): Failure {
  const failure = failureOf(error);
  metrics.failed(error);
  const level = failure.status >= 500 && failure.status !== 503 ? 'error' : 'info';
  request.log[level]({ err: error, client: request.client, code: failure.code }, 'request failed');
  reply.code(failure.status);
  if (failure.retryAfter !== undefined) reply.header('retry-after', String(failure.retryAfter));
  if (failure.status === 401) reply.header('www-authenticate', 'Bearer');
  // What is left of an upload that nobody wants is not read.
  if (!request.raw.complete) reply.header('connection', 'close');
  return failure;
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
