/**
 * A room: live transcripts are published in it under one clock, and viewers follow. It keeps the transcript; how viewers are connected is
 * not its concern.
 */
import type { TranscriptEvent } from '../../index.js';
import { shifted } from '../../shift.js';
import type { RoomPublisher, RoomSource } from '../rooms.js';
import type { RoomDraft, RoomEvent } from './room-events.js';
import { RoomTranscript } from './transcript.js';

/** Somebody who follows a room. Must not throw. */
export interface RoomViewer {
  /** @param id Of events that a viewer can continue behind. */
  show(event: RoomEvent, id?: string): void;
  /** The room is closed. */
  end(): void;
}

/** Seconds between two beginnings that count as one. */
const TOGETHER = 0.5;

/** A live transcript in the room. */
interface Publishing {
  /** Seconds up to which it is final. */
  progress: number;
  /** The open sentences of its speakers. */
  open: Map<string | undefined, RoomDraft>;
}

export class Room {
  readonly #now: () => number;
  readonly #began: number;
  readonly #transcript: RoomTranscript;
  readonly #publishing = new Set<Publishing>();
  readonly #viewers = new Set<RoomViewer>();
  /** Called when the last speaker leaves. */
  #onQuiet = (): void => {};
  #joins = 0;
  #changed: number;

  /** @param now Milliseconds of the clock. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#began = now();
    this.#changed = this.#began;
    this.#transcript = new RoomTranscript(this.#began);
  }

  get live(): boolean {
    return this.#publishing.size > 0;
  }

  get transcript(): RoomTranscript {
    return this.#transcript;
  }

  /** Whether anything was ever published. */
  get used(): boolean {
    return this.#joins > 0;
  }

  /** Milliseconds since somebody published or watched; 0 while somebody does. */
  get idle(): number {
    return this.live || this.#viewers.size > 0 ? 0 : this.#now() - this.#changed;
  }

  /**
   * Begins to publish. A transcript whose offset is 0 begins now on the room's clock, behind everything that is there if nobody speaks; any
   * other has the room's times already. A second speaker without a name is given one.
   */
  join({ offset }: RoomSource): RoomPublisher {
    const elapsed = (this.#now() - this.#began) / 1000;
    const now = this.live ? elapsed : Math.max(elapsed, this.#transcript.end);
    const shift = offset > 0 || this.#joins === 0 || now < TOGETHER ? 0 : now;
    const name = this.live ? `Speaker ${this.#joins + 1}` : undefined;
    this.#joins++;
    const publishing: Publishing = { progress: Math.max(shift, offset), open: new Map() };
    this.#publishing.add(publishing);
    if (this.#publishing.size === 1) this.#tellState();
    return {
      publish: (event) => this.#publish(publishing, named(shifted(event, shift), name)),
      leave: () => this.#leave(publishing),
    };
  }

  /** Follows the room: first what is there since the id, then what comes. Returns a function that ends it. */
  watch(viewer: RoomViewer, lastEventId?: string): () => void {
    const { missed, entries } = this.#transcript.log.after(lastEventId);
    viewer.show({ type: 'state', data: { live: this.live } });
    if (missed > 0) viewer.show({ type: 'missed', data: { sentences: missed } });
    for (const { id, sentence } of entries) viewer.show({ type: 'sentence', data: sentence }, id);
    for (const { open } of this.#publishing)
      for (const draft of open.values()) viewer.show({ type: 'draft', data: draft });
    this.#viewers.add(viewer);
    return () => {
      this.#viewers.delete(viewer);
      this.#changed = this.#now();
    };
  }

  /** Ends the room for its viewers, as soon as nobody publishes any more. */
  async close(): Promise<void> {
    if (this.live)
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
    for (const viewer of this.#viewers) viewer.end();
    this.#viewers.clear();
    this.#transcript.close();
  }

  #publish(publishing: Publishing, event: TranscriptEvent): void {
    if (event.type === 'progress') {
      publishing.progress = event.time;
      // Only what all speakers have reached is final.
      const time = Math.min(...[...this.#publishing].map(({ progress }) => progress));
      this.#transcript.push({ ...event, time });
      return;
    }
    const logged = this.#transcript.push(event);
    switch (event.type) {
      case 'token':
        this.#draft(publishing, event.speaker, ({ final }) => ({ final: final + event.token.text }));
        break;
      case 'draft':
        this.#draft(publishing, event.speaker, () => ({ tentative: textOf(event) }), true);
        break;
      case 'sentence':
        publishing.open.delete(event.speaker);
        if (logged) this.#tell({ type: 'sentence', data: logged.sentence }, logged.id);
        break;
      default:
    }
  }

  #draft(
    { open }: Publishing,
    speaker: string | undefined,
    change: (draft: RoomDraft) => Partial<RoomDraft>,
    isShown = false,
  ): void {
    const last = open.get(speaker) ?? { final: '', tentative: '', ...(speaker !== undefined && { speaker }) };
    const draft = { ...last, ...change(last) };
    open.set(speaker, draft);
    if (isShown && (draft.final !== '' || draft.tentative !== '' || last.tentative !== ''))
      this.#tell({ type: 'draft', data: draft });
  }

  #leave(publishing: Publishing): void {
    if (!this.#publishing.delete(publishing)) return;
    for (const { speaker } of publishing.open.values())
      this.#tell({
        type: 'draft',
        data: { final: '', tentative: '', ...(speaker !== undefined && { speaker }) },
      });
    if (this.live) return;
    this.#changed = this.#now();
    this.#transcript.settle();
    this.#tellState();
    this.#onQuiet();
  }

  #tellState(): void {
    this.#tell({ type: 'state', data: { live: this.live } });
  }

  #tell(event: RoomEvent, id?: string): void {
    for (const viewer of this.#viewers) viewer.show(event, id);
  }
}

const textOf = ({ tokens }: Extract<TranscriptEvent, { type: 'draft' }>): string =>
  tokens.map(({ text }) => text).join('');

/** With a speaker's name, if the event can have one and has none. */
function named(event: TranscriptEvent, name: string | undefined): TranscriptEvent {
  if (name === undefined || event.type === 'progress' || event.type === 'end' || event.type === 'left')
    return event;
  return event.speaker === undefined ? { ...event, speaker: name } : event;
}
