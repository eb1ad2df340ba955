/** `WS /v1/captions`: the page's own protocol, whose messages are in messages.ts. One connection here; what outlives it is in session.ts. */

import { randomUUID } from 'node:crypto';
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { canSpell } from '../../../model/boost-tree.js';
import { finite, integer } from '../../../options.js';
import type { KeptChannel } from '../../cluster/channel-keeper.js';
import type { Protocol, ServerContext } from '../../context.js';
import { type Failure, logFailure } from '../../failures.js';
import type { LiveChannelOptions } from '../../live-channel.js';
import { ClientSocket } from '../../sockets/client-socket.js';
import { type Message, protocolError, readMessage } from '../../sockets/messages.js';
import type { ServerMessage } from './messages.js';
import { CaptionSession, type Listener } from './session.js';
import { CaptionSessions, RESUME_SECONDS } from './sessions.js';

/** Most phrases to listen for, and most letters of one. */
const MOST_PHRASES = 100;
const MOST_LETTERS = 100;
/** Codes of a connection that its client has ended: it is done, or its page was left. */
const FINAL_CODES: readonly number[] = [1000, 1001];
/** Samples below which a session is not kept for a client that is gone. */
const WORTH_KEEPING = 16_000;
/** Rates that microphones and browsers have. */
const [LEAST_RATE, MOST_RATE] = [8000, 192_000];

export const captions: Protocol = (app, context) => {
  const sessions = new CaptionSessions();
  app.addHook('preClose', async () => sessions.close());
  app.get('/v1/captions', { websocket: true }, (socket, request) =>
    new CaptionConnection(socket, request, context, sessions).run(),
  );
};

class CaptionConnection implements Listener {
  readonly #socket: ClientSocket;
  readonly #request: FastifyRequest;
  readonly #context: ServerContext;
  readonly #sessions: CaptionSessions;
  #session: { id: string; session: CaptionSession } | undefined;
  #closeCode = 0;
  /** The client was refused. */
  #isOver = false;

  constructor(socket: WebSocket, request: FastifyRequest, context: ServerContext, sessions: CaptionSessions) {
    this.#socket = new ClientSocket(socket, () => context.metrics.draftDropped());
    // Before the handlers: they ask for the code.
    socket.once('close', (code) => {
      this.#closeCode = code;
    });
    this.#request = request;
    this.#context = context;
    this.#sessions = sessions;
  }

  run(): void {
    this.#socket.handle({
      onMessage: (data, isBinary) => (isBinary ? this.#sound(data) : this.#command(readMessage(data))),
      onError: (error) => this.#fail(error),
      onClose: () => this.#leave(),
    });
  }

  /** The session waits for its client only if the connection broke, and something would be lost. */
  #leave(): void {
    if (!this.#session) return;
    const { id, session } = this.#session;
    if (this.#isOver || FINAL_CODES.includes(this.#closeCode) || session.received < WORTH_KEEPING)
      session.finish();
    this.#sessions.leave(id, this);
  }

  send(message: ServerMessage): void {
    this.#socket.send(message);
  }

  sendDraft(message: ServerMessage): void {
    this.#socket.sendDraft(message);
  }

  end(failure?: Failure): void {
    this.#socket.close(failure?.closeCode ?? 1000, failure?.message);
  }

  async #sound(data: Buffer): Promise<void> {
    if (data.length % 2 !== 0) throw protocolError('Expected whole samples of 16 bits in a binary message');
    await this.#running.write(data);
  }

  async #command(message: Message): Promise<void> {
    switch (message.type) {
      case 'start':
        return this.#start(message);
      case 'resume':
        return this.#resume(message);
      case 'phrases':
        return this.#running.setPhrases(this.#phrases(message.phrases));
      case 'finish':
        return this.#running.finish();
      case 'keep_alive':
        return this.#running.keepAlive();
      default:
        throw protocolError(
          'Expected start, resume, phrases, finish or keep_alive for type, or sound in a binary message',
        );
    }
  }

  async #start({ sample_rate, room, phrases, offset }: Message): Promise<void> {
    if (this.#session) throw protocolError('Expected one start message but received another');
    const sampleRate = integer('sample_rate', sample_rate, LEAST_RATE, MOST_RATE);
    const options = {
      ...this.#channelOf(sampleRate, finite('offset', offset ?? 0, 0, 1e6), room as string | undefined),
      boost: this.#phrases(phrases ?? []).map((phrase) => ({ phrase })),
    };
    this.#begin(options, await this.#context.keeper?.begin(randomUUID(), options));
  }

  async #resume({ session: id, last_event }: Message): Promise<void> {
    if (this.#session) throw protocolError('Expected one start message but received another');
    const { client } = this.#request;
    const lastEvent = typeof last_event === 'string' ? last_event : undefined;
    const session = this.#sessions.find(id, client);
    if (session) return this.#attach(id as string, session, lastEvent);
    const kept = typeof id === 'string' ? await this.#context.keeper?.take(id, client) : undefined;
    if (!kept) throw protocolError('Expected a session that is kept. Start another one.');
    const { sampleRate, transcript, room } = kept.options;
    this.#begin(this.#channelOf(sampleRate, transcript.offset, room), kept, lastEvent);
  }

  #channelOf(sampleRate: number, offset: number, room: string | undefined): LiveChannelOptions {
    const { client } = this.#request;
    const input = { format: 's16le', sampleRate } as const;
    return { protocol: 'captions', client, input, offset, ...(room !== undefined && { room }) };
  }

  /** Opens the live transcript, or goes on with one of another server. */
  #begin(options: LiveChannelOptions, kept: KeptChannel | undefined, lastEvent?: string): void {
    const channel = this.#context.channels.open({ ...options, ...(kept && { kept }) });
    const session = new CaptionSession(channel, options.client, kept);
    this.#attach(this.#sessions.add(session, kept?.id), session, lastEvent);
  }

  #attach(id: string, session: CaptionSession, lastEvent?: string): void {
    this.#session = { id, session };
    const { received } = session;
    this.send({ type: 'ready', session: id, received, resume_seconds: RESUME_SECONDS });
    session.attach(this, lastEvent);
    // It may have gone while Redis was asked.
    if (!this.#socket.open) this.#leave();
  }

  get #running(): CaptionSession {
    if (this.#session) return this.#session.session;
    throw protocolError('Expected a start message before others');
  }

  /** The phrases that the model can spell; the client is told of the others. */
  #phrases(value: unknown): string[] {
    const isList = Array.isArray(value) && value.length <= MOST_PHRASES;
    if (!isList || value.some((one) => typeof one !== 'string' || one.length > MOST_LETTERS))
      throw protocolError(
        `Expected at most ${MOST_PHRASES} texts of at most ${MOST_LETTERS} letters for phrases`,
      );
    const { vocabulary } = this.#context.model.info;
    const given = (value as string[]).filter((one) => one.trim() !== '');
    const known = given.filter((phrase) => canSpell(vocabulary, { phrase }));
    const ignored = given.filter((phrase) => !known.includes(phrase));
    if (ignored.length > 0) this.send({ type: 'ignored', phrases: ignored });
    return known;
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    if (!this.#socket.open) return;
    const { client, log } = this.#request;
    const failure = logFailure(log, error, 'connection', { client });
    const { code, message, retryAfter } = failure;
    this.send({ type: 'error', code, message, ...(retryAfter !== undefined && { retry_after: retryAfter }) });
    this.end(failure);
  }
}
