/** One connection of the Wyoming protocol: requests one after the other, each with its sound and its transcript. */
import type { Socket } from 'node:net';
import type { PcmEncoding } from '../../index.js';
import { canSpell } from '../../model/boost-tree.js';
import { integer } from '../../options.js';
import type { ServerContext } from '../context.js';
import { failureOf } from '../failures.js';
import type { LiveChannel } from '../live-channel.js';
import { protocolError } from '../sockets/messages.js';
import { EventParser, encodeEvent, type WyomingEvent } from './events.js';
import { infoOf, languagesOf } from './info.js';

/** Encodings of samples, by their bytes. */
const ENCODINGS: readonly (PcmEncoding | undefined)[] = [undefined, 'u8', 's16le', 's24le', 's32le'];
/** Milliseconds in which a client answers that the connection is closed. */
const CLOSE_TIMEOUT = 5000;
/** Most phrases to listen for in a request. */
const MOST_PHRASES = 500;

export class WyomingConnection {
  readonly #socket: Socket;
  readonly #context: ServerContext;
  #phrases: string[] = [];
  #channel: LiveChannel | undefined;
  #transcript: Promise<void> = Promise.resolve();

  constructor(socket: Socket, context: ServerContext) {
    this.#socket = socket;
    this.#context = context;
  }

  /** Settles when the transcript that is due, if any, is sent. */
  get delivered(): Promise<void> {
    return this.#transcript;
  }

  /** Resolves when the connection's work is over. Never rejects. */
  async run(): Promise<void> {
    const parser = new EventParser();
    try {
      // What ends the loop may still have to be told.
      for await (const bytes of this.#socket.iterator({ destroyOnReturn: false }))
        for (const event of parser.push(bytes as Buffer)) await this.#handle(event);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#channel?.leave();
      this.#close();
    }
  }

  async #handle({ type, data, payload }: WyomingEvent): Promise<void> {
    switch (type) {
      case 'describe':
        this.#send('info', infoOf(this.#context));
        break;
      case 'ping':
        this.#send('pong', data);
        break;
      case 'transcribe':
        this.#phrases = this.#phrasesOf([data.transcript_names, data.transcript_terms]);
        break;
      case 'audio-start':
        this.#open(data);
        break;
      case 'audio-chunk':
        if (!this.#channel) this.#open(data);
        await this.#channel?.write(payload);
        break;
      case 'audio-stop':
        this.#channel?.end();
        await this.#transcript;
        break;
      // As the protocol asks: what is unknown is ignored.
      default:
    }
  }

  #open(data: WyomingEvent['data']): void {
    this.#channel?.leave();
    const format = ENCODINGS[integer('width', data.width, 1, 4)] as PcmEncoding;
    const channel = this.#context.channels.open({
      protocol: 'wyoming',
      client: 'anonymous',
      input: {
        format,
        sampleRate: integer('rate', data.rate, 1000, 192_000),
        channels: integer('channels', data.channels, 1, 8),
      },
      drafts: false,
      boost: this.#phrases.map((phrase) => ({ phrase })),
    });
    this.#channel = channel;
    this.#send('transcript-start', {});
    this.#transcript = this.#deliver(channel);
  }

  /** Sends sentences as they become final, then the whole, also if the transcript breaks off. Never rejects. */
  async #deliver(channel: LiveChannel): Promise<void> {
    const texts: string[] = [];
    let failure: unknown;
    try {
      for await (const event of channel) {
        if (event.type !== 'sentence') continue;
        const { text } = event.sentence;
        this.#send('transcript-chunk', { text: texts.length === 0 ? text : ` ${text}` });
        texts.push(text);
      }
    } catch (error) {
      failure = error;
    }
    if (this.#channel === channel) this.#channel = undefined;
    if (failure === undefined || texts.length > 0) {
      const [language, ...others] = languagesOf(this.#context.model.info.vocabulary);
      this.#send('transcript', { text: texts.join(' '), ...(others.length === 0 && { language }) });
      this.#send('transcript-stop');
    }
    if (failure === undefined) return;
    this.#fail(failure);
    this.#close();
  }

  /** The phrases that the model can spell, names first. */
  #phrasesOf(lists: unknown[]): string[] {
    const { vocabulary } = this.#context.model.info;
    const given = lists.flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
    if (given.length > MOST_PHRASES) throw protocolError(`Expected at most ${MOST_PHRASES} names and terms`);
    return given.filter(
      (phrase): phrase is string => typeof phrase === 'string' && canSpell(vocabulary, { phrase }),
    );
  }

  /** Behind what was sent. What the client still sends is read, or it would lose that; a client that does not answer is cut off. */
  #close(): void {
    this.#socket.setTimeout(CLOSE_TIMEOUT);
    this.#socket.end();
    this.#socket.resume();
  }

  #send(type: string, data?: object): void {
    if (this.#socket.writable) this.#socket.write(encodeEvent(type, data));
  }

  #fail(error: unknown): void {
    // The client has gone.
    if ((error as NodeJS.ErrnoException).syscall !== undefined || this.#socket.destroyed) return;
    const { code, message } = failureOf(error);
    this.#context.metrics.failed(error);
    this.#send('error', { text: message, code });
  }
}
