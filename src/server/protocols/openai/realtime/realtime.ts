/** `WS /v1/realtime`: transcription sessions of OpenAI's realtime API. Nothing but transcription: there are no answers, and no calls. */
import { randomUUID } from 'node:crypto';
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { ServerError } from '../../../../index.js';
import type { Protocol, ServerContext } from '../../../context.js';
import { openaiError } from '../../../error-answers.js';
import { type Failure, logFailure } from '../../../failures.js';
import type { LiveChannel } from '../../../live-channel.js';
import { Query } from '../../../query.js';
import { ClientSocket } from '../../../sockets/client-socket.js';
import { asObject, fromBase64, type Message, protocolError, readMessage } from '../../../sockets/messages.js';
import {
  boostOf,
  defaultConfig,
  describeOlderSession,
  describeSession,
  inputOf,
  type SessionConfig,
  updateOlderSession,
  updateSession,
  utterancesOf,
} from './session-config.js';
import { type TurnMessage, Turns } from './turns.js';

export const openaiRealtime: Protocol = (app, context) => {
  app.get('/v1/realtime', { websocket: true }, (socket, request) => {
    new RealtimeSession(socket, request, context).begin();
  });
};

/** Least seconds of sound that may be committed, as OpenAI's. */
const LEAST_COMMIT = 0.1;

/** One connection. */
class RealtimeSession {
  readonly #socket: ClientSocket;
  readonly #request: FastifyRequest;
  readonly #context: ServerContext;
  readonly #id = `sess_${randomUUID().replaceAll('-', '')}`;
  readonly #room: string | undefined;
  /** The client speaks the older form. */
  readonly #isOlder: boolean;
  #config: SessionConfig;
  /** Opened with the first sound, when the session is set up. */
  #channel: LiveChannel | undefined;
  #turns: Turns | undefined;
  /** Seconds of sound at the last commit. */
  #committed = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, request: FastifyRequest, context: ServerContext) {
    this.#socket = new ClientSocket(socket, () => context.metrics.draftDropped());
    this.#request = request;
    this.#context = context;
    this.#config = defaultConfig(context.modelName);
    this.#room = new Query(request.url).text('room');
    const beta = `${request.headers['openai-beta'] ?? ''} ${request.headers['sec-websocket-protocol'] ?? ''}`;
    this.#isOlder = beta.includes('realtime=v1') || beta.includes('realtime-v1');
  }

  begin(): void {
    const { admission, settings } = this.#context;
    this.#socket.handle({
      onMessage: (data, isBinary, at) => this.#message(data, isBinary, at),
      onError: (error) => this.#tell(error),
      onPing: () => this.#channel?.keepAlive(),
      onClose: () => {
        clearTimeout(this.#idle);
        this.#channel?.leave();
      },
    });
    try {
      // Later, the client would have spoken for nothing.
      if (!admission.ready) admission.live()();
    } catch (error) {
      this.#end(error);
      return;
    }
    this.#idle = setTimeout(() => this.#end(silent(settings.idleTimeout)), settings.idleTimeout * 1000);
    this.#idle.unref();
    this.#describe('created', this.#isOlder);
  }

  async #message(data: Buffer, isBinary: boolean, at: number): Promise<void> {
    if (isBinary)
      throw protocolError('Expected text messages: sound comes in input_audio_buffer.append, in base64');
    const message = readMessage(data);
    try {
      await this.#command(message, at);
    } catch (error) {
      this.#tell(error, message.event_id);
    }
  }

  async #command(message: Message, at: number): Promise<void> {
    switch (message.type) {
      case 'session.update':
        await this.#update(updateSession(this.#config, asObject(message.session, 'session')));
        return this.#describe('updated', false);
      case 'transcription_session.update':
        await this.#update(updateOlderSession(this.#config, asObject(message.session, 'session')));
        return this.#describe('updated', true);
      case 'input_audio_buffer.append':
        return this.#append(fromBase64(message.audio, 'audio'), at);
      case 'input_audio_buffer.commit':
        return this.#commit();
      case 'input_audio_buffer.clear':
        return this.#clear();
      default:
        throw protocolError(
          `Expected session.update or input_audio_buffer.append, .commit or .clear for type but received ${String(message.type).slice(0, 100)}`,
        );
    }
  }

  async #update(config: SessionConfig): Promise<void> {
    const before = this.#config;
    if (this.#channel) {
      const isSame =
        config.format === before.format && JSON.stringify(config.turns) === JSON.stringify(before.turns);
      if (!isSame)
        throw protocolError(
          'Expected format and turn_detection before the first sound: connect again to change them',
        );
      if (config.prompt !== before.prompt) await this.#channel.setBoost(boostOf(config));
    }
    this.#config = config;
  }

  async #append(sound: Buffer, at: number): Promise<void> {
    this.#channel ??= this.#open();
    await this.#channel.write(sound, at);
  }

  async #commit(): Promise<void> {
    const channel = this.#channel;
    const turns = this.#turns;
    if (!channel || !turns || channel.seconds - this.#committed < LEAST_COMMIT)
      throw protocolError(`Expected at least ${LEAST_COMMIT} s of sound to commit`);
    await channel.flush();
    // With server VAD the end of the utterance has done it, if there was one.
    if (this.#config.turns === null || turns.open) this.#send(turns.commit(channel.seconds));
    this.#committed = channel.seconds;
  }

  async #clear(): Promise<void> {
    if (this.#channel && this.#turns) {
      this.#turns.discarding = true;
      await this.#channel.flush();
      this.#turns.discarding = false;
      this.#committed = this.#channel.seconds;
    }
    this.#send([{ type: 'input_audio_buffer.cleared' }]);
  }

  #open(): LiveChannel {
    let channel: LiveChannel;
    try {
      channel = this.#context.channels.open({
        protocol: 'openai',
        client: this.#request.client,
        input: inputOf(this.#config),
        drafts: this.#room !== undefined,
        utterances: utterancesOf(this.#config),
        boost: boostOf(this.#config),
        ...(this.#room !== undefined && { room: this.#room }),
      });
    } catch (error) {
      this.#end(error);
      throw error;
    }
    clearTimeout(this.#idle);
    const turns = new Turns(this.#config.turns !== null, this.#isOlder);
    this.#turns = turns;
    this.#forward(channel, turns).then(
      () => this.#socket.close(1000),
      (error) => this.#end(error),
    );
    return channel;
  }

  async #forward(channel: LiveChannel, turns: Turns): Promise<void> {
    for await (const event of channel) this.#send(turns.take(event));
  }

  #describe(what: 'created' | 'updated', older: boolean): void {
    const session = older
      ? describeOlderSession(this.#id, this.#config)
      : describeSession(this.#id, this.#config);
    this.#send([{ type: `${older ? 'transcription_session' : 'session'}.${what}`, session }]);
  }

  #send(messages: Iterable<TurnMessage>): void {
    for (const message of messages) this.#socket.send({ event_id: `event_${randomUUID()}`, ...message });
  }

  /** An error that concerns one message: the session goes on. */
  #tell(error: unknown, event_id: unknown = null): Failure {
    const failure = logFailure(this.#request.log, error, 'message');
    const { error: body } = openaiError(failure) as { error: object };
    this.#send([{ type: 'error', error: { ...body, event_id } }]);
    return failure;
  }

  /** An error that ends the session. */
  #end(error: unknown): void {
    if (!this.#socket.open) return;
    const { closeCode, message } = this.#tell(error);
    this.#socket.close(closeCode, message);
    this.#channel?.leave();
  }
}

function silent(seconds: number): ServerError {
  return new ServerError(
    'ERR_PARAKEET_SERVER_LIMIT',
    `Expected sound within ${seconds} s but received none.`,
  );
}
