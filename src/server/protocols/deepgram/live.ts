/** `WS /v1/listen`: Deepgram's live API. */
import { createHash, type Hash } from 'node:crypto';
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import type { PcmEncoding } from '../../../index.js';
import type { KeptChannel, WantedChannel } from '../../cluster/channel-keeper.js';
import type { Protocol, ServerContext } from '../../context.js';
import { logFailure } from '../../failures.js';
import type { LiveChannel } from '../../live-channel.js';
import { ClientSocket } from '../../sockets/client-socket.js';
import { protocolError, readMessage } from '../../sockets/messages.js';
import { type ListenParameters, readLiveParameters } from './parameters.js';
import { type DeepgramMessage, Results } from './results.js';
import { SplitChannels } from './split-channels.js';
import { rounded } from './words.js';

export const deepgramLive: Protocol = (app, context) => {
  app.get(
    '/v1/listen',
    {
      websocket: true,
      // Before the connection becomes a socket: a bad parameter is a bad request.
      preValidation: async ({ url }) => void readLiveParameters(url),
    },
    (socket, request) => new ListenSession(socket, request, context).run(),
  );
};

/** Bytes of a sample of linear16. */
const BYTES = 2;

/** One connection. */
class ListenSession {
  readonly #socket: ClientSocket;
  readonly #request: FastifyRequest;
  readonly #context: ServerContext;
  readonly #parameters: ListenParameters;
  readonly #split: SplitChannels;
  readonly #results: Results[];
  readonly #hash: Hash = createHash('sha256');
  readonly #created = new Date().toISOString();
  #channels: LiveChannel[] = [];
  #failure: unknown;

  constructor(socket: WebSocket, request: FastifyRequest, context: ServerContext) {
    this.#socket = new ClientSocket(socket, () => context.metrics.draftDropped());
    this.#request = request;
    this.#context = context;
    this.#parameters = readLiveParameters(request.url);
    const { separate, input } = this.#parameters;
    this.#split = new SplitChannels(separate, input.format as PcmEncoding);
    const metadata = metadataOf(request.id, context);
    this.#results = Array.from({ length: separate }, (_, i) => new Results(this.#parameters, metadata, i));
  }

  /** Resolves when the connection's work is over. */
  async run(): Promise<void> {
    const opening = this.#open();
    this.#socket.handle({
      onMessage: async (data, isBinary, at) => {
        await opening;
        return isBinary ? this.#sound(data, at) : this.#command(data);
      },
      onError: (error) => this.#fail(error),
      onClose: () => this.#leave(),
    });
    try {
      await opening;
    } catch (error) {
      this.#fail(error);
      return;
    }
    // It may have gone while a session was looked up.
    if (!this.#socket.open) this.#leave();
    const forward = (channel: LiveChannel, i: number) =>
      this.#forward(channel, i).catch((error) => {
        this.#failure ??= error;
        // The others still deliver what they have.
        this.#end();
      });
    await Promise.all(this.#channels.map(forward));
    if (this.#failure !== undefined) this.#fail(this.#failure);
    this.#socket.send(this.#summary());
    this.#socket.close(1000);
  }

  async #open(): Promise<void> {
    const { input, interim, utterances, boost, room, offset, separate } = this.#parameters;
    const common = {
      protocol: 'deepgram',
      client: this.#request.client,
      input: separate > 1 ? { ...input, channels: 1 } : input,
      drafts: interim || room !== undefined,
      ...{ utterances, boost, offset },
      ...(room !== undefined && { room }),
    };
    const kept = await this.#kept(common);
    this.#channels = this.#context.channels.openAll(
      this.#results.map((_, i) => ({
        ...common,
        ...(kept && { kept }),
        ...(separate > 1 && { speaker: `Channel ${i + 1}` }),
      })),
    );
    if (!kept) return;
    const received = kept.received / (BYTES * kept.options.sampleRate);
    this.#socket.send({ type: 'Session', session: kept.id, received });
  }

  /** With `session` in a cluster: what another server has left of it, or a new one. */
  async #kept(wanted: WantedChannel): Promise<KeptChannel | undefined> {
    const { keeper } = this.#context;
    const { session } = this.#parameters;
    if (!keeper || session === undefined) return undefined;
    return (await keeper.take(session, wanted.client)) ?? keeper.begin(session, wanted);
  }

  #leave(): void {
    for (const channel of this.#channels) channel.leave();
  }

  async #sound(data: Buffer, at: number): Promise<void> {
    // An older way to say CloseStream.
    if (data.length === 0) return this.#end();
    this.#hash.update(data);
    const parts = this.#split.take(data);
    await Promise.all(this.#channels.map((channel, i) => channel.write(parts[i] as Buffer, at)));
  }

  async #command(data: Buffer): Promise<void> {
    const { type } = readMessage(data);
    switch (type) {
      case 'KeepAlive':
        for (const channel of this.#channels) channel.keepAlive();
        return;
      case 'Finalize':
        await Promise.all(this.#channels.map((channel, i) => this.#finalize(channel, i)));
        return;
      case 'CloseStream':
        return this.#end();
      default:
        throw protocolError(
          'Expected KeepAlive, Finalize or CloseStream for type, or sound in a binary message',
        );
    }
  }

  #end(): void {
    for (const channel of this.#channels) channel.end();
  }

  async #finalize(channel: LiveChannel, index: number): Promise<void> {
    await channel.flush();
    this.#send((this.#results[index] as Results).finalized());
  }

  async #forward(channel: LiveChannel, index: number): Promise<void> {
    const results = this.#results[index] as Results;
    try {
      for await (const event of channel) this.#send(results.take(event));
    } finally {
      this.#send(results.finish());
    }
  }

  #send(messages: Iterable<DeepgramMessage>): void {
    for (const { interim, message } of messages) {
      if (interim) this.#socket.sendDraft(message);
      else this.#socket.send(message);
    }
  }

  #fail(error: unknown): void {
    if (!this.#socket.open) return;
    const { closeCode, message } = logFailure(this.#request.log, error, 'connection');
    this.#socket.close(closeCode, message);
    this.#leave();
  }

  /** Deepgram's last message. */
  #summary(): object {
    const duration = Math.max(...this.#channels.map((channel) => channel.seconds));
    const { separate, warnings } = this.#parameters;
    return {
      type: 'Metadata',
      transaction_key: 'deprecated',
      request_id: this.#request.id,
      sha256: this.#hash.digest('hex'),
      created: this.#created,
      duration: rounded(duration),
      channels: separate,
      ...(warnings.length > 0 && { warnings }),
    };
  }
}

/** The model as Deepgram describes its own. */
export function metadataOf(id: string, { model, modelName }: ServerContext) {
  return {
    request_id: id,
    model_uuid: model.identity,
    model_info: { name: modelName, version: model.identity.slice(0, 12), arch: model.info.architecture },
  };
}
