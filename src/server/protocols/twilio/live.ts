/**
 * `WS /v1/twilio`: Twilio's Media Streams, one live transcript a track. Twilio takes no transcripts: they are published in a room, named by the
 * custom parameter `room`, else after the call. Twilio sends no headers either: a token comes in the custom parameter `token`.
 */
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import type { Protocol, ServerContext } from '../../context.js';
import { logFailure } from '../../failures.js';
import type { LiveChannel } from '../../live-channel.js';
import { ClientSocket } from '../../sockets/client-socket.js';
import { type Message, protocolError, readMessage } from '../../sockets/messages.js';
import { type Media, readMedia, readStart, type StreamStart, type Track } from './messages.js';

/** Silence in µ-law, and seconds that a track may be behind the call before it is filled with it. */
const SILENCE = 0xff;
const LATE = 1;
/** Most seconds of silence for one message: a wrong time stamp must not cost an hour of it. */
const MOST_SILENCE = 30;

export const twilio: Protocol = (app, context) => {
  app.get('/v1/twilio', { websocket: true, config: { access: 'public' } }, (socket, request) =>
    new TwilioStream(socket, request, context).run(),
  );
};

/** A track and its transcript. */
interface TrackChannel {
  channel: LiveChannel;
  /** Samples that were written. */
  samples: number;
}

class TwilioStream {
  readonly #socket: ClientSocket;
  readonly #request: FastifyRequest;
  readonly #context: ServerContext;
  readonly #tracks = new Map<Track, TrackChannel>();
  #start: StreamStart | undefined;

  constructor(socket: WebSocket, request: FastifyRequest, context: ServerContext) {
    this.#socket = new ClientSocket(socket, () => {});
    this.#request = request;
    this.#context = context;
  }

  run(): void {
    this.#socket.handle({
      onMessage: (data, isBinary) => {
        if (isBinary) throw protocolError('Expected a text message');
        return this.#handle(readMessage(data));
      },
      onError: (error) => this.#fail(error),
      onClose: () => this.#end(),
    });
  }

  async #handle(message: Message): Promise<void> {
    switch (message.event) {
      case 'start':
        return this.#begin(readStart(message));
      case 'media':
        return this.#hear(readMedia(message));
      case 'stop':
        this.#end();
        return this.#socket.close(1000);
      case 'connected':
      case 'mark':
      case 'dtmf':
        return;
      default:
        throw protocolError('Expected connected, start, media, mark, dtmf or stop for event');
    }
  }

  #begin(start: StreamStart): void {
    if (this.#start) throw protocolError('Expected one start message but received another');
    const { tracks, encoding, sampleRate, parameters, call } = start;
    const client = this.#context.access.clientWith(parameters.token);
    const room = parameters.room ?? call;
    const channels = this.#context.channels.openAll(
      tracks.map((track) => ({
        ...{ protocol: 'twilio', client, room: room as string, speaker: nameOf(track, parameters) },
        input: { format: encoding, sampleRate },
      })),
    );
    this.#start = start;
    for (const [i, track] of tracks.entries()) {
      const channel = channels[i] as LiveChannel;
      this.#tracks.set(track, { channel, samples: 0 });
      this.#follow(channel).catch((error) => this.#fail(error));
    }
  }

  async #hear({ track, timestamp, sound }: Media): Promise<void> {
    const sampleRate = this.#start?.sampleRate;
    const own = this.#tracks.get(track);
    if (!own || sampleRate === undefined) throw protocolError('Expected a start message with this track');
    const position = (timestamp / 1000) * sampleRate;
    await Promise.all(
      [...this.#tracks.values()].map(async (one) => {
        // A track may be silent for long, and then nothing is sent for it.
        const late = Math.round(position - one.samples);
        if (late > LATE * sampleRate) await write(one, silence(Math.min(late, MOST_SILENCE * sampleRate)));
        else one.channel.keepAlive();
      }),
    );
    await write(own, sound);
  }

  /** The events go into the room; here they must only be read. */
  async #follow(channel: LiveChannel): Promise<void> {
    for await (const event of channel) if (event.type === 'end') return;
  }

  #end(): void {
    for (const { channel } of this.#tracks.values()) channel.end();
  }

  #fail(error: unknown): void {
    if (!this.#socket.open) return;
    const { closeCode, message } = logFailure(this.#request.log, error, 'connection');
    this.#end();
    this.#socket.close(closeCode, message);
  }
}

async function write(track: TrackChannel, sound: Buffer): Promise<void> {
  track.samples += sound.length;
  await track.channel.write(sound);
}

const silence = (samples: number): Buffer => Buffer.alloc(samples, SILENCE);

/** The custom parameter with the track's name, or the track's name. */
function nameOf(track: Track, parameters: Message): string {
  const name = parameters[track];
  return typeof name === 'string' && /^[^\r\n]{1,64}$/.test(name) ? name : track;
}
