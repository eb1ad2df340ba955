/**
 * The entry point `parakeet-stream/server`: captions over HTTP and WebSocket, for clients that other services have. Needs the packages
 * `fastify`, `@fastify/websocket`, `@fastify/multipart`, `@fastify/static` and `prom-client`.
 *
 * @module parakeet-stream/server
 */
export { readTokenFile } from './access/tokens.js';
export { type CaptionServer, createServer } from './create-server.js';
export type { ClientToken, ServerCertificate, ServerOptions } from './options.js';
