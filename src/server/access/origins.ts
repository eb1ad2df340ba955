/**
 * Which web pages may use the server. CORS protects no WebSocket and no simple request, so the `Origin` that browsers send is checked for
 * everything. Programs send none.
 */
import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What {@link Origins} works with. */
export interface OriginRules {
  /** Allowed beside the server's own pages. */
  origins: readonly string[];
  /** Clients show tokens. Without them, a page whose name was made to lead to this machine must not pass as our own. */
  hasTokens: boolean;
}

export class Origins {
  readonly #rules: OriginRules;

  constructor(rules: OriginRules) {
    this.#rules = rules;
  }

  /** Whether the request may go on: it comes from no page, from one of ours, or from an allowed one. */
  allows(request: FastifyRequest): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return true;
    return this.#isAllowed(origin) || this.#isOwn(origin, request);
  }

  /** Sets the headers of CORS for an allowed origin; for others none are sent. */
  answer(request: FastifyRequest, reply: FastifyReply): void {
    const { origin } = request.headers;
    if (origin === undefined || !this.#isAllowed(origin)) return;
    reply.headers({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization, content-type, last-event-id',
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-expose-headers': 'retry-after, warning',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
  }

  #isAllowed(origin: string): boolean {
    return this.#rules.origins.includes(origin);
  }

  /** A page of this server. */
  #isOwn(origin: string, { protocol, headers }: FastifyRequest): boolean {
    if (headers.host === undefined || !URL.canParse(origin)) return false;
    const page = new URL(origin);
    // Behind a proxy that ends TLS, our own protocol is http.
    const matches =
      page.host === headers.host.toLowerCase() && [`${protocol}:`, 'https:'].includes(page.protocol);
    return matches && (this.#rules.hasTokens || isNumeric(page.hostname));
  }
}

/** An address or `localhost`: what no foreign name server decides. */
function isNumeric(hostname: string): boolean {
  return hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}
