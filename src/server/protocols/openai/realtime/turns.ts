/**
 * From transcript events to the messages of OpenAI's realtime API. A turn is one item of the conversation: with server VAD it begins with
 * speech and ends with the utterance; without, it is what the client has committed.
 */
import { randomUUID } from 'node:crypto';
import type { TranscriptEvent } from '../../../../index.js';
import { Voice } from '../../../../voice.js';

/** An open item. */
interface Turn {
  id: string;
  text: string;
  /** Seconds at which its last word ends. */
  end: number;
  /** Seconds of sound before it. */
  from: number;
}

/** A message without its `event_id`. */
export type TurnMessage = Readonly<Record<string, unknown>> & { type: string };

export class Turns {
  /** Whether the server finds the turns. */
  readonly #detected: boolean;
  readonly #isOlder: boolean;
  #turn: Turn | undefined;
  #previous: string | null = null;
  #discarding = false;
  readonly #voice = new Voice();

  constructor(detected: boolean, isOlder: boolean) {
    this.#detected = detected;
    this.#isOlder = isOlder;
  }

  /** The messages that an event leads to. */
  *take(event: TranscriptEvent): Generator<TurnMessage> {
    this.#voice.take(event);
    if (this.#discarding) return;
    switch (event.type) {
      case 'speechStart':
        yield* this.#begin(event.time);
        break;
      case 'token': {
        const { text, start, end } = event.token;
        if (text === '') break;
        yield* this.#begin(start);
        const turn = this.#turn as Turn;
        const delta = turn.text === '' ? text.trimStart() : text;
        turn.text += delta;
        turn.end = end;
        if (this.#detected && delta !== '') yield deltaOf(turn.id, delta);
        break;
      }
      case 'progress':
        // Sound without a word: what is said next is another turn.
        if (this.#turn?.text === '' && this.#detected && this.#voice.over(this.#turn.from, event.time)) {
          this.#turn.end = Math.max(this.#turn.end, this.#voice.quietSince);
          yield* this.#stop();
        }
        break;
      case 'endOfUtterance':
        if (this.#detected) yield* this.#stop();
        break;
      case 'end':
        // A turn without a word, or the rest of what was not committed.
        if (this.#turn) yield* this.#detected ? this.#stop() : this.commit(event.stats.audioSeconds);
        break;
      default:
    }
  }

  /** The client says that the turn is over; everything before was taken. @param seconds Seconds of sound so far. */
  *commit(seconds: number): Generator<TurnMessage> {
    const turn = this.#turn ?? newTurn(seconds);
    this.#turn = turn;
    yield* this.#complete();
  }

  /** Whether a turn is open. */
  get open(): boolean {
    return this.#turn !== undefined;
  }

  /** Drops what the open turn holds, and what comes until `false`. */
  set discarding(discarding: boolean) {
    this.#discarding = discarding;
    this.#turn = undefined;
  }

  *#begin(time: number): Generator<TurnMessage> {
    if (this.#turn) return;
    this.#turn = newTurn(time);
    if (!this.#detected) return;
    yield {
      type: 'input_audio_buffer.speech_started',
      audio_start_ms: Math.round(time * 1000),
      item_id: this.#turn.id,
    };
  }

  *#stop(): Generator<TurnMessage> {
    const { id, end } = this.#turn as Turn;
    yield { type: 'input_audio_buffer.speech_stopped', audio_end_ms: Math.round(end * 1000), item_id: id };
    yield* this.#complete();
    const again = this.#voice.since;
    // The next turn may have begun already: voices are heard before words are final.
    if (again !== undefined && again >= end) yield* this.#begin(again);
  }

  *#complete(): Generator<TurnMessage> {
    const { id, text, from, end } = this.#turn as Turn;
    const previous_item_id = this.#previous;
    yield { type: 'input_audio_buffer.committed', item_id: id, previous_item_id };
    const item = {
      id,
      ...{ object: 'realtime.item', type: 'message', status: 'completed', role: 'user' },
      content: [{ type: 'input_audio', transcript: null }],
    };
    yield {
      type: this.#isOlder ? 'conversation.item.created' : 'conversation.item.added',
      previous_item_id,
      item,
    };
    const transcript = text.trim();
    if (!this.#detected && transcript !== '') yield deltaOf(id, transcript);
    yield {
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: id,
      content_index: 0,
      transcript,
      usage: { type: 'duration', seconds: Math.max(0, Math.round((end - from) * 1000) / 1000) },
    };
    this.#previous = id;
    this.#turn = undefined;
  }
}

function newTurn(time: number): Turn {
  return { id: `item_${randomUUID().replaceAll('-', '')}`, text: '', from: time, end: time };
}

function deltaOf(item_id: string, delta: string): TurnMessage {
  return { type: 'conversation.item.input_audio_transcription.delta', item_id, content_index: 0, delta };
}
