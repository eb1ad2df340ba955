/**
 * The dashboard of an archive's queue below `/jobs`: bull-board, an optional peer, in a fastify instance of its own, since both have files to serve.
 */
import type * as BoardApi from '@bull-board/api';
import type * as BoardAdapters from '@bull-board/api/bullMQAdapter';
import type * as BoardFastify from '@bull-board/fastify';
import type { FastifyInstance } from 'fastify';
import { QueueBoard } from '../many/redis/board.js';
import { importPeer } from '../optional-peer.js';
import type { ServerMetrics } from './metrics.js';
import type { Peers } from './peers.js';

const REMEDY =
  'Install what the dashboard needs: npm install @bull-board/api @bull-board/fastify bullmq ioredis';
const PLACE = '/jobs';
/** Milliseconds between two looks for new queues of windows. */
const LOOK_MS = 5000;

/** Which queue is shown. */
export interface JobsSettings {
  url: string;
  name: string;
}

/** Puts the dashboard into the server, and its queue into the metrics. @throws {@link DependencyError}, {@link JobError} */
export async function installJobs(
  app: FastifyInstance,
  { fastify }: Pick<Peers, 'fastify'>,
  metrics: ServerMetrics,
  { url, name }: JobsSettings,
): Promise<void> {
  const what = 'shows the jobs';
  const { createBullBoard } = await importPeer<typeof BoardApi>('@bull-board/api', what, REMEDY);
  const { BullMQAdapter } = await importPeer<typeof BoardAdapters>(
    '@bull-board/api/bullMQAdapter',
    what,
    REMEDY,
  );
  const { FastifyAdapter } = await importPeer<typeof BoardFastify>('@bull-board/fastify', what, REMEDY);
  const queues = await QueueBoard.open(url, name);
  // Each at once: the server closes also when it cannot be completed.
  app.addHook('onClose', () => queues.close());
  const own = fastify();
  app.addHook('onClose', () => own.close());
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(PLACE);
  const shown = async () => (await queues.queues()).map((queue) => new BullMQAdapter(queue));
  const board = createBullBoard({ queues: await shown(), serverAdapter });
  await own.register(serverAdapter.registerPlugin() as Parameters<typeof own.register>[0], { prefix: PLACE });
  await own.ready();
  const looking = setInterval(() => {
    shown().then(
      (all) => board.replaceQueues(all),
      () => {},
    );
  }, LOOK_MS);
  looking.unref();
  app.addHook('onClose', async () => clearInterval(looking));
  app.all(PLACE, { config: { access: 'token' } }, async (_, reply) => reply.redirect(`${PLACE}/`));
  app.register(async (scope) => {
    // The other instance reads bodies itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.all(`${PLACE}/*`, { config: { access: 'token' } }, async (request, reply) => {
      reply.hijack();
      own.routing(request.raw, reply.raw);
    });
  });
  metrics.watchQueue(() => queues.counts());
}
