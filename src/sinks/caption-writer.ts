/**
 * The sink that shows live captions: what is final plain, the draft dimmed behind it, redrawn in place on a terminal.
 * Anything that is no terminal gets plain lines, one a sentence.
 */
import type { Writable } from 'node:stream';
import type { TranscriptEvent } from '../events.js';
import type { SinkTarget } from './destination.js';
import { Sink, type SinkOptions } from './sink.js';

const DIM = '\u001b[2m';
const PLAIN = '\u001b[22m';
const CLEAR_BELOW = '\r\u001b[J';
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A` : '');

type Terminal = Writable & { isTTY?: boolean; columns?: number; rows?: number };

class CaptionWriter extends Sink {
  /** Text of final tokens that no sentence has taken yet. */
  #open = '';
  #draft = '';
  /** Lines of the last drawing above the cursor's. */
  #linesAbove = 0;

  get #terminal(): Terminal | undefined {
    const stream = this.target as Terminal;
    return typeof this.target === 'object' && stream.isTTY === true ? stream : undefined;
  }

  protected override async handle(event: TranscriptEvent): Promise<void> {
    switch (event.type) {
      case 'token':
        this.#open += event.token.text;
        // Until the next draft comes, the old one without what has become final; nothing when it was wrong.
        this.#draft = this.#draft.startsWith(event.token.text)
          ? this.#draft.slice(event.token.text.length)
          : '';
        return await this.#draw('');
      case 'draft':
        this.#draft = event.tokens.map((token) => token.text).join('');
        return await this.#draw('');
      case 'sentence': {
        // Usually all that is open; what came after the sentence's last token stays open.
        const taken = event.sentence.tokens.map((token) => token.text).join('');
        this.#open = this.#open.startsWith(taken) ? this.#open.slice(taken.length) : '';
        return await this.#line(event.sentence.text);
      }
      case 'end':
        this.#draft = '';
        return await this.#draw('');
      default:
        return;
    }
  }

  /** Words that no sentence has taken (no `sentences` stage before this sink) are not lost. */
  protected override async conclude(): Promise<void> {
    const rest = this.#open.trim();
    this.#open = '';
    this.#draft = '';
    if (rest !== '') await this.#line(rest);
    else await this.#draw('');
  }

  async #line(text: string): Promise<void> {
    if (this.#terminal) await this.#draw(`${clean(text)}\n`);
    else await this.text(`${clean(text)}\n`);
  }

  /** Replaces the last drawing: `settled` scrolls away above it, then what is open and its draft. One write. */
  async #draw(settled: string): Promise<void> {
    const terminal = this.#terminal;
    if (!terminal) return;
    const erase = `${up(this.#linesAbove)}${CLEAR_BELOW}`;
    const columns = Math.max(20, terminal.columns ?? 80);
    // A drawing taller than the screen could not be erased: its beginning is left out.
    const room = Math.max(1, (terminal.rows ?? 24) - 2) * columns - 1;
    const final = clean(this.#open).trimStart();
    const draft = final === '' ? clean(this.#draft).trimStart() : clean(this.#draft);
    const shown = lastColumns(final + draft, room);
    const draftShown = shown.slice(Math.max(0, shown.length - draft.length));
    const finalShown = shown.slice(0, shown.length - draftShown.length);
    this.#linesAbove = Math.max(0, Math.ceil(width(shown) / columns) - 1);
    await this.text(erase + settled + finalShown + (draftShown === '' ? '' : DIM + draftShown + PLAIN));
  }
}

/** Without control characters: nothing in a transcript may steer the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const clean = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '');

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Columns that a text takes on a terminal. */
const width = (text: string): number =>
  Array.from(text).reduce((sum, one) => sum + (WIDE.test(one) ? 2 : 1), 0);

/** The end of `text` that fits into `columns`, with an ellipsis for what is left out. */
function lastColumns(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  const characters = Array.from(text);
  let used = 1;
  let from = characters.length;
  while (from > 0) {
    used += width(characters[from - 1] as string);
    if (used > columns) break;
    from -= 1;
  }
  return `…${characters.slice(from).join('')}`;
}

/**
 * Makes a Writable of transcript events that shows them as live captions.
 *
 * @param target default `process.stdout`. On a terminal drafts are dimmed and redrawn in place; elsewhere each sentence is a
 * plain line.
 * @throws {ArgumentError} for a bad target. Failed writes destroy the sink with a `ParakeetError` (`ERR_PARAKEET_WRITE`)
 * whose `cause` is the system's error.
 */
export function captionWriter(target: SinkTarget = process.stdout, options: SinkOptions = {}): Sink {
  return new CaptionWriter(target, options);
}
