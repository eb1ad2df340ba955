/** The packages that the server is built on, which are optional peers of this one: loaded when a server is created. */
import type * as Multipart from '@fastify/multipart';
import type * as Static from '@fastify/static';
import type * as Websocket from '@fastify/websocket';
import type * as Fastify from 'fastify';
import type * as Prometheus from 'prom-client';
import { importPeer } from '../optional-peer.js';

const REMEDY =
  'Install what the caption server needs: npm install fastify @fastify/websocket @fastify/multipart @fastify/static prom-client';

/** What {@link loadPeers} loads. */
export interface Peers {
  fastify: typeof Fastify.fastify;
  websocket: typeof Websocket.fastifyWebsocket;
  multipart: typeof Multipart.fastifyMultipart;
  files: typeof Static.fastifyStatic;
  prometheus: typeof Prometheus;
}

/** @throws {@link DependencyError} that names the first package that is missing. */
export async function loadPeers(): Promise<Peers> {
  const { fastify } = await importPeer<typeof Fastify>('fastify', 'serves HTTP', REMEDY);
  const { default: websocket } = await importPeer<{ default: Peers['websocket'] }>(
    '@fastify/websocket',
    'serves WebSockets',
    REMEDY,
  );
  const { default: multipart } = await importPeer<{ default: Peers['multipart'] }>(
    '@fastify/multipart',
    'reads uploads',
    REMEDY,
  );
  const { default: files } = await importPeer<{ default: Peers['files'] }>(
    '@fastify/static',
    'serves the page',
    REMEDY,
  );
  const prometheus = await importPeer<typeof Prometheus>('prom-client', 'counts for /metrics', REMEDY);
  return { fastify, websocket, multipart, files, prometheus };
}
