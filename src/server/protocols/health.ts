/** `GET /health`, `/ready` and `/metrics`: for those who watch the server. */
import type { Protocol } from '../context.js';

export const health: Protocol = (app, { admission, metrics }) => {
  /** The process answers. */
  app.get('/health', { config: { access: 'public' } }, async () => ({ status: 'ok' }));

  /** Whether another live transcript would be taken: what a load balancer asks. */
  app.get('/ready', { config: { access: 'public' } }, async (_, reply) => {
    const { streams, limits, files, queued, ready } = admission;
    if (!ready) reply.code(503);
    return { ready, streams, max_streams: limits.maxStreams, files, queued };
  });

  app.get('/metrics', async (_, reply) => {
    const { contentType, text } = await metrics.read();
    return reply.type(contentType).send(text);
  });
};
