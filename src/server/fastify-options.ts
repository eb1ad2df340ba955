/** How fastify is set up: limits of connections and requests, TLS, the log. A server of https has the type of one of http: both are used alike. */
import { randomUUID } from 'node:crypto';
import type { FastifyHttpOptions, FastifyRequest, RawServerDefault } from 'fastify';
import { pathOf } from './error-answers.js';
import type { ServerSettings } from './options.js';

/** Most bytes of a request that is no upload. */
const MOST_JSON = 1024 * 1024;
/** Milliseconds that a connection may be silent: a client that has vanished. */
const SILENT_CONNECTION = 10 * 60_000;

export function fastifyOptions({ tls, log }: ServerSettings): FastifyHttpOptions<RawServerDefault> {
  return {
    ...(tls && { https: tls }),
    bodyLimit: MOST_JSON,
    connectionTimeout: SILENT_CONNECTION,
    // An upload takes as long as it takes: a recorder sends at the speed of speech.
    requestTimeout: 0,
    forceCloseConnections: 'idle' as const,
    genReqId: () => randomUUID(),
    logger: log === false ? false : { level: log, serializers: { req: logged } },
  };
}

/** What is logged of a request. Not the query: a ticket may stand in it. */
function logged({ method, url, ip, id }: FastifyRequest): Record<string, unknown> {
  return { method, path: pathOf(url), ip, id };
}
