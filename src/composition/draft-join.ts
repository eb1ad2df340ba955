/**
 * Where the two models of a stream come together: the accurate one's events pass, and drafts of the other one's words are put between them.
 * Which words these are is in text/draft-tail.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Token, TranscriptEvent } from '../events.js';
import { DraftTail } from '../text/draft-tail.js';
import { textOf } from '../text/sentence-splitter.js';
import { Stage } from '../transforms/stage.js';
import type { DraftLine } from './draft-line.js';

export class DraftJoin extends Stage<TranscriptEvent, TranscriptEvent> {
  /** The transcript is behind its audio: drafts are left out. */
  behind = false;
  readonly #draft: DraftLine;
  readonly #tail = new DraftTail();
  #shown: readonly Token[] = [];
  #revision = 0;
  #dropped = 0;
  #ended = false;
  /** A draft is due, and waits for its turn. */
  #due = false;
  /** Events come from two sides: one is emitted after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(draft: DraftLine) {
    super({ writableHighWaterMark: 4, readableHighWaterMark: 4 });
    this.#draft = draft;
    draft.listen({
      heard: (final, tentative) => {
        this.#tail.hear(final, tentative);
        this.#schedule();
      },
      position: () => this.#tail.position,
    });
  }

  protected override process(event: TranscriptEvent): Promise<void> {
    return this.#inTurn(() => this.#pass(event));
  }

  /** All is final in the accurate model that came before the mark, so what the other one has said until its own mark is settled. */
  protected override flushHeld(): Promise<void> {
    return this.#inTurn(async () => {
      this.#tail.settle(await this.#draft.flushed());
      await this.#emitDraft();
    });
  }

  protected override finish(): Promise<void> {
    return this.#turn;
  }

  async #pass(event: TranscriptEvent): Promise<void> {
    switch (event.type) {
      case 'token':
        this.#tail.final(event.token);
        return await this.emitOne(event);
      case 'progress':
        this.#tail.advance(event.time);
        await this.emitOne(event);
        return await this.#emitDraft();
      case 'end': {
        const cost = await this.#draft.over();
        this.#tail.settle(this.#tail.position);
        if (this.#shown.length > 0) await this.#emitDraft();
        this.#ended = true;
        const { stats } = event;
        const computeSeconds = stats.computeSeconds + (cost?.computeSeconds ?? 0);
        const { audioSeconds } = stats;
        return await this.emitOne({
          ...event,
          stats: {
            ...stats,
            computeSeconds,
            realTimeFactor: audioSeconds > 0 ? computeSeconds / audioSeconds : 0,
            steps: stats.steps + (cost?.steps ?? 0),
            draftsDropped: this.#dropped,
          },
        });
      }
      default:
        return await this.emitOne(event);
    }
  }

  /** A step of the fast model is over: its draft comes as soon as it is its turn, unless it would be the one that is shown. */
  #schedule(): void {
    if (this.#due) return;
    this.#due = true;
    const draft = async () => {
      this.#due = false;
      if (!this.#ended && this.#differs()) await this.#emitDraft();
    };
    // It fails only when the stage is destroyed, which has its own error.
    this.#inTurn(draft).catch(() => {});
  }

  #differs(): boolean {
    const tokens = this.#tail.next();
    const same = (token: Token, index: number) => isDeepStrictEqual(token, this.#shown[index]);
    return tokens.length !== this.#shown.length || !tokens.every(same);
  }

  async #emitDraft(): Promise<void> {
    if (this.behind) {
      this.#dropped++;
      return;
    }
    const tokens = this.#tail.next();
    this.#shown = tokens;
    await this.emitOne({
      type: 'draft',
      tokens: [...tokens],
      text: textOf(tokens),
      revision: ++this.#revision,
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}
