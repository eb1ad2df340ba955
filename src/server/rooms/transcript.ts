/**
 * A room's transcript in every form that can be downloaded, at any moment: fed with the events of all its speakers on the room's clock. The
 * library's writers make the texts.
 */
import { type Sink, srtWriter, type TranscriptEvent, txtWriter, vttWriter } from '../../index.js';
import { cuesOf, playlist, segment } from './hls.js';
import type { RoomSentence } from './room-events.js';
import { type LoggedSentence, SentenceLog } from './sentence-log.js';
import { TextLog } from './text-log.js';

/** Seconds that a cue may wait for what could still change it: the longest cue. */
const CUE_WAITS = 7;
/** Later than everything: makes the writers give up waiting. */
const NEVER = Number.MAX_SAFE_INTEGER / 1000;

/** The formats of a room's transcript. */
export const transcriptFormats = ['vtt', 'srt', 'txt', 'json'] as const;
export type TranscriptFormat = (typeof transcriptFormats)[number];

export class RoomTranscript {
  /** The final sentences. */
  readonly log = new SentenceLog();
  readonly #began: number;
  readonly #texts = { vtt: new TextLog('WEBVTT\n'), srt: new TextLog(), txt: new TextLog() };
  readonly #writers: Sink[];
  /** Starts of the first words of the open sentences, by speaker. */
  readonly #open = new Map<string | undefined, number>();
  #progress = 0;
  #end = 0;

  /** @param began Milliseconds of the clock at second 0. */
  constructor(began: number) {
    this.#began = began;
    const { vtt, srt, txt } = this.#texts;
    this.#writers = [vttWriter(vtt), srtWriter(srt), txtWriter(txt)];
  }

  /** Seconds at which the last sentence ends. */
  get end(): number {
    return this.#end;
  }

  /** Takes an event; a final sentence is also added to the log, and returned with its id. */
  push(event: TranscriptEvent): LoggedSentence | undefined {
    if (event.type === 'token' && event.token.text !== '' && !this.#open.has(event.speaker))
      this.#open.set(event.speaker, event.token.start);
    if (event.type === 'progress') this.#progress = Math.max(this.#progress, event.time);
    if (event.type === 'token' || event.type === 'progress' || event.type === 'sentence') this.#write(event);
    if (event.type !== 'sentence') return undefined;
    this.#open.delete(event.speaker);
    this.#end = Math.max(this.#end, event.sentence.end);
    const sentence = roomSentence(event);
    return { id: this.log.add(sentence), sentence };
  }

  /** Nobody speaks: writes what waits for its continuation. */
  settle(): void {
    this.#open.clear();
    this.#progress = Math.max(this.#progress, this.#end);
    this.#write({ type: 'progress', time: NEVER });
  }

  /** The transcript so far. */
  read(format: TranscriptFormat): string {
    return format === 'json' ? this.#json() : this.#texts[format].text;
  }

  /** The HLS playlist so far. `live`: more may come. */
  playlist(live: boolean, query: string): string {
    const open = Math.min(...this.#open.values());
    const until = live ? Math.max(0, Math.min(this.#progress, open) - CUE_WAITS) : this.#cuesEnd();
    return playlist({ until, began: this.#began, ended: !live, query });
  }

  /** A segment of the playlist. */
  segment(n: number, mpegts: number): string {
    return segment(n, cuesOf(this.#texts.vtt.records), mpegts);
  }

  /** Frees the writers. */
  close(): void {
    for (const writer of this.#writers) writer.destroy();
  }

  #cuesEnd(): number {
    return cuesOf(this.#texts.vtt.records.slice(-1))[0]?.end ?? 0;
  }

  #write(event: TranscriptEvent): void {
    for (const writer of this.#writers) writer.write(event);
  }

  #json(): string {
    const { sentences } = this.log;
    const text = sentences.map((sentence) => sentence.text).join(' ');
    return `${JSON.stringify({ text, sentences }, null, 2)}\n`;
  }
}

/** A final sentence as viewers get it. */
export function roomSentence({
  sentence,
  speaker,
}: Extract<TranscriptEvent, { type: 'sentence' }>): RoomSentence {
  const words = sentence.words.map(({ text, start, end, confidence }) => ({
    text,
    start: rounded(start),
    end: rounded(end),
    confidence: rounded(confidence),
  }));
  return {
    start: rounded(sentence.start),
    end: rounded(sentence.end),
    text: sentence.text,
    confidence: rounded(sentence.confidence),
    words,
    ...(speaker !== undefined && { speaker }),
  };
}

/** Milliseconds and thousandths are enough. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
