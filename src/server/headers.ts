/** Headers that make browsers careful, on every answer that does not set its own. */
import type { FastifyInstance } from 'fastify';

const HEADERS = {
  // What answers nothing but data may load nothing; the page has a policy of its own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;
const A_YEAR = 365 * 24 * 3600;

export function installHeaders(app: FastifyInstance, isSecure: boolean): void {
  app.addHook('onSend', async (_, reply) => {
    for (const [name, value] of Object.entries(HEADERS))
      if (!reply.hasHeader(name)) reply.header(name, value);
    if (isSecure) reply.header('strict-transport-security', `max-age=${A_YEAR}`);
  });
}
