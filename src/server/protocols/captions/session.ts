/**
 * One live transcript of a page. It outlives its connections: sentences are kept, and sound is counted, so that a client that comes back
 * goes on where it was. Connections are live.ts's concern.
 */
import type { TranscriptEvent } from '../../../index.js';
import type { KeptChannel } from '../../cluster/channel-keeper.js';
import { type Failure, failureOf } from '../../failures.js';
import type { LiveChannel } from '../../live-channel.js';
import type { RoomDraft } from '../../rooms/room-events.js';
import { SentenceLog } from '../../rooms/sentence-log.js';
import { roomSentence } from '../../rooms/transcript.js';
import type { ServerMessage } from './messages.js';

/** Bytes of a sample. */
const BYTES = 2;

/** A connection of the session's client. */
export interface Listener {
  send(message: ServerMessage): void;
  /** For messages that the next one replaces. */
  sendDraft(message: ServerMessage): void;
  /** Nothing more will come. */
  end(failure?: Failure): void;
}

export class CaptionSession {
  readonly #channel: LiveChannel;
  readonly #log: SentenceLog;
  #draft: RoomDraft = { final: '', tentative: '' };
  #listener: Listener | undefined;
  #received: number;
  /** The last sentence that the client has, from a server that died: those up to it are said again, and not sent again. */
  #seen: string | undefined;
  #ended: { failure: Failure | undefined } | undefined;
  /** Settles when the transcript is over. */
  readonly finished: Promise<void>;

  /** @param kept What it goes on with from another server, and its name there. */
  constructor(
    channel: LiveChannel,
    readonly client: string,
    kept?: Pick<KeptChannel, 'id' | 'received' | 'said'>,
  ) {
    this.#channel = channel;
    this.#log = new SentenceLog(undefined, kept && { name: kept.id, count: kept.said });
    this.#received = (kept?.received ?? 0) / BYTES;
    this.finished = this.#follow().then(
      () => this.#end(undefined),
      (error: unknown) => this.#end(failureOf(error)),
    );
  }

  /** Samples that have arrived. */
  get received(): number {
    return this.#received;
  }

  /** Connects a client, in place of an earlier connection: first all that it has not seen, then what comes. */
  attach(listener: Listener, lastEvent?: string): void {
    this.#listener?.end();
    this.#listener = listener;
    this.#seen = this.#log.isAhead(lastEvent) ? lastEvent : undefined;
    if (this.#seen === undefined) {
      for (const { id, sentence } of this.#log.after(lastEvent).entries)
        listener.send({ type: 'sentence', id, sentence });
    }
    listener.sendDraft({ type: 'draft', ...this.#draft });
    if (this.#ended) this.#tellEnd(listener);
  }

  /** The connection is gone. Returns false if another one has taken its place. */
  detach(listener: Listener): boolean {
    if (this.#listener !== listener) return false;
    this.#listener = undefined;
    return true;
  }

  /** Takes sound; resolves when it wants more. */
  async write(bytes: Buffer): Promise<void> {
    this.#received += bytes.length / BYTES;
    await this.#channel.write(bytes);
  }

  keepAlive(): void {
    this.#channel.keepAlive();
  }

  /** Replaces the phrases to listen for. */
  async setPhrases(phrases: readonly string[]): Promise<void> {
    await this.#channel.setBoost(phrases.map((phrase) => ({ phrase })));
  }

  /** No sound follows. */
  finish(): void {
    this.#channel.end();
  }

  async #follow(): Promise<void> {
    for await (const event of this.#channel) this.#take(event);
  }

  #take(event: TranscriptEvent): void {
    switch (event.type) {
      case 'token':
        this.#draft = { ...this.#draft, final: this.#draft.final + event.token.text };
        break;
      case 'draft':
        this.#draft = { ...this.#draft, tentative: event.tokens.map(({ text }) => text).join('') };
        this.#listener?.sendDraft({ type: 'draft', ...this.#draft });
        break;
      case 'sentence': {
        this.#draft = { final: '', tentative: '' };
        const sentence = roomSentence(event);
        const id = this.#log.add(sentence);
        if (this.#seen === undefined) this.#listener?.send({ type: 'sentence', id, sentence });
        else if (id === this.#seen) this.#seen = undefined;
        break;
      }
      case 'progress':
        this.#listener?.sendDraft({ type: 'progress', time: event.time });
        break;
      default:
    }
  }

  #end(failure: Failure | undefined): void {
    this.#ended = { failure };
    if (this.#listener) this.#tellEnd(this.#listener);
  }

  #tellEnd(listener: Listener): void {
    const failure = this.#ended?.failure;
    if (failure) {
      const { code, message, retryAfter } = failure;
      listener.send({
        type: 'error',
        code,
        message,
        ...(retryAfter !== undefined && { retry_after: retryAfter }),
      });
    } else listener.send({ type: 'end' });
    listener.end(failure);
  }
}
