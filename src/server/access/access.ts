/**
 * Who may do what: one hook for all routes and sockets. A route says in its `config.access` what it asks for; without that, a client's token
 * or ticket is needed as soon as the server has tokens.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServerError } from '../../index.js';
import { integer } from '../../options.js';
import type { ServerSettings } from '../options.js';
import { credentialOf } from './credentials.js';
import { Origins } from './origins.js';
import { Tickets } from './tickets.js';
import { TokenList } from './tokens.js';

/**
 * `'public'`: anybody. `'token'`: a client's token. `'client'`: also a client's ticket. `'room'`: also a ticket to the room that the route's
 * `:room` names.
 */
type AccessLevel = 'public' | 'token' | 'client' | 'room';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** @defaultValue `'client'` */
    access?: AccessLevel;
  }
  interface FastifyRequest {
    /** The client's name, or `'anonymous'`. */
    client: string;
  }
}

/** Seconds for which a ticket is valid. */
const TICKET_SECONDS = 60;
const ROOM_TICKET_SECONDS = 24 * 3600;

export class Access {
  readonly tickets = new Tickets();
  readonly #tokens: TokenList;
  readonly #origins: Origins;

  constructor({ tokens, origins }: Pick<ServerSettings, 'tokens' | 'origins'>) {
    this.#tokens = new TokenList(tokens);
    this.#origins = new Origins({ origins, hasTokens: !this.#tokens.empty });
  }

  /** Installs the hook, and `POST /v1/tickets`. */
  install(app: FastifyInstance): void {
    app.decorateRequest('client', 'anonymous');
    app.addHook('onRequest', async (request, reply) => {
      if (!this.#origins.allows(request)) throw denied('Expected no page of another origin', 403);
      this.#origins.answer(request, reply);
      // The browser asks before it sends the request, without credentials.
      if (request.method === 'OPTIONS' && request.headers.origin !== undefined) return reply.code(204).send();
      request.client = this.#clientOf(request);
      // From here on each line of the log says who it was.
      request.log = reply.log = request.log.child({ client: request.client });
      return undefined;
    });
    app.options('*', { config: { access: 'public' } }, async (_, reply) => reply.code(204).send());
    app.post('/v1/tickets', { config: { access: 'token' } }, async (request) => this.#issue(request));
  }

  /**
   * The name of the client whose token, or ticket, came in a message: for protocols that send no headers.
   *
   * @throws {@link ServerError} `ERR_PARAKEET_SERVER_ACCESS`
   */
  clientWith(secret: unknown): string {
    if (this.#tokens.empty) return 'anonymous';
    const text = typeof secret === 'string' ? secret : '';
    const ticket = this.tickets.read(text);
    const client = this.#tokens.clientOf(text) ?? (ticket?.scope === 'client' ? ticket.client : undefined);
    if (client !== undefined) return client;
    throw denied('Expected a valid token or ticket in the message', 401);
  }

  /** The name of who asks. @throws {@link ServerError} `ERR_PARAKEET_SERVER_ACCESS` */
  #clientOf(request: FastifyRequest): string {
    const { access = 'client' } = request.routeOptions.config;
    if (access === 'public' || this.#tokens.empty) return 'anonymous';
    const credential = credentialOf(request.raw);
    if (credential === undefined)
      throw denied('Expected a token (Authorization: Bearer …) but received none', 401);
    const { secret, ticketOnly } = credential;
    const client = ticketOnly ? undefined : this.#tokens.clientOf(secret);
    if (client !== undefined) return client;
    // A ticket makes no other tickets: it would never end.
    const ticket = access === 'token' ? undefined : this.tickets.read(secret);
    if (ticket?.scope === 'client') return ticket.client;
    const { room } = request.params as { room?: string };
    if (access === 'room' && room !== undefined && ticket?.scope === `room:${room}`) return ticket.client;
    throw denied('Expected a valid token or ticket but received another', 401);
  }

  /** A ticket to connect, or with `{ room }` to watch a room. */
  #issue(request: FastifyRequest): { ticket: string; expires_in: number } {
    const { room, expires_in } = (request.body ?? {}) as { room?: unknown; expires_in?: unknown };
    if (room !== undefined && (typeof room !== 'string' || room === ''))
      throw new ServerError('ERR_PARAKEET_SERVER_PROTOCOL', 'Expected the name of a room in room');
    const most = room === undefined ? TICKET_SECONDS : ROOM_TICKET_SECONDS;
    const seconds = expires_in === undefined ? most : integer('expires_in', expires_in, 1, most);
    const scope = room === undefined ? 'client' : (`room:${room}` as const);
    return { ticket: this.tickets.issue(request.client, scope, seconds), expires_in: seconds };
  }
}

function denied(message: string, statusCode: 401 | 403): ServerError {
  const error = new ServerError('ERR_PARAKEET_SERVER_ACCESS', message);
  return Object.assign(error, { statusCode });
}
