/**
 * The sink that shows live captions: what is final plain, the draft dimmed behind it, redrawn in place on a terminal.
 * Anything that is no terminal gets plain lines, one a sentence. How rows get onto a screen is live-screen.ts's matter.
 */
import type { Writable } from 'node:stream';
import type { Token, TranscriptEvent } from '../events.js';
import { optionalBoolean } from '../options.js';
import type { SinkTarget } from './destination.js';
import { type Block, LiveScreen, type ScreenRow } from './live-screen.js';
import { checkSinkOptions, Sink, type SinkOptions } from './sink.js';
import { widthOf, wrap } from './wrap.js';

/** Options of {@link captionWriter}. */
export interface CaptionOptions extends SinkOptions {
  /**
   * Put the time at which each sentence begins before it, `[00:01:05]`.
   * @defaultValue false
   */
  timestamps?: boolean | undefined;
}

const DIM = '\u001b[2m';
const BOLD = '\u001b[1m';
const PLAIN = '\u001b[22m';

type Terminal = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** What one speaker has said that is in no sentence yet. */
interface Open {
  /** Text of final tokens. */
  final: string;
  draft: string;
  /** Seconds at which it begins. */
  start: number;
}

class CaptionWriter extends Sink {
  readonly #timestamps: boolean;
  /** By speaker, in the order in which they began; without a speaker, under `undefined`. */
  readonly #open = new Map<string | undefined, Open>();
  #settled: Caption[] = [];
  #screen: LiveScreen | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #painting: Promise<void> = Promise.resolve();

  constructor(target: unknown, options: CaptionOptions) {
    checkSinkOptions('captionWriter', options, ['timestamps']);
    const timestamps = optionalBoolean('timestamps', options.timestamps) ?? false;
    super(target, options);
    this.#timestamps = timestamps;
  }

  get #terminal(): Terminal | undefined {
    const stream = this.target as Terminal;
    // A dumb terminal (an editor's shell, say) understands no commands.
    return typeof this.target === 'object' && stream.isTTY === true && process.env.TERM !== 'dumb'
      ? stream
      : undefined;
  }

  protected override async begin(): Promise<void> {
    const terminal = this.#terminal;
    if (!terminal) return;
    this.#screen = new LiveScreen(sizeOf(terminal));
    terminal.on('resize', this.#onResize);
  }

  protected override async handle(event: TranscriptEvent): Promise<void> {
    switch (event.type) {
      case 'token': {
        const open = this.#openOf(event.speaker, event.token);
        open.final += event.token.text;
        // Until the next draft comes, the old one without what has become final; nothing when it was wrong.
        open.draft = open.draft.startsWith(event.token.text) ? open.draft.slice(event.token.text.length) : '';
        return this.#schedule();
      }
      case 'draft':
        this.#setDraft(event.speaker, event.tokens);
        return this.#schedule();
      case 'sentence': {
        const { tokens, text, start } = event.sentence;
        this.#take(event.speaker, tokens);
        // Sentences wait until they are written, so that a slow terminal slows the line; the rest is only painted over.
        return await this.#settle(new Caption(this.#label(event.speaker, start), text, ''));
      }
      case 'end':
        for (const [speaker, open] of this.#open) {
          open.draft = '';
          this.#forgetEmpty(speaker);
        }
        return this.#schedule();
      default:
        return;
    }
  }

  /** Words that no sentence has taken (no `sentences` stage before this sink) are not lost. */
  protected override async conclude(): Promise<void> {
    const rest = [...this.#open]
      .filter(([, { final }]) => final.trim() !== '')
      .map(([speaker, { final, start }]) => new Caption(this.#label(speaker, start), final.trim(), ''));
    this.#open.clear();
    for (const caption of rest) await this.#settle(caption);
    this.#cancel();
    await this.#painting;
    await this.#paint();
  }

  protected override async release(): Promise<void> {
    this.#cancel();
    this.#terminal?.off('resize', this.#onResize);
  }

  #openOf(speaker: string | undefined, first: Token | undefined): Open {
    let open = this.#open.get(speaker);
    if (!open) {
      open = { final: '', draft: '', start: first?.start ?? 0 };
      this.#open.set(speaker, open);
    }
    return open;
  }

  #setDraft(speaker: string | undefined, tokens: readonly Token[]): void {
    const open = this.#openOf(speaker, tokens[0]);
    open.draft = tokens.map((token) => token.text).join('');
    if (open.final === '' && tokens[0]) open.start = tokens[0].start;
    this.#forgetEmpty(speaker);
  }

  /** Usually a sentence is all that is open; what came after its last token stays. */
  #take(speaker: string | undefined, tokens: readonly Token[]): void {
    const open = this.#open.get(speaker);
    if (!open) return;
    const taken = tokens.map((token) => token.text).join('');
    open.final = open.final.startsWith(taken) ? open.final.slice(taken.length) : '';
    open.start = tokens.at(-1)?.end ?? open.start;
    this.#forgetEmpty(speaker);
  }

  #forgetEmpty(speaker: string | undefined): void {
    const open = this.#open.get(speaker);
    if (open?.final.trim() === '' && open.draft.trim() === '') this.#open.delete(speaker);
  }

  #label(speaker: string | undefined, start: number): string {
    const time = this.#timestamps ? `[${clock(start)}] ` : '';
    return speaker === undefined ? time : `${time}${clean(speaker)}: `;
  }

  async #settle(caption: Caption): Promise<void> {
    if (!this.#screen) return await this.text(`${caption.plain}\n`);
    this.#settled.push(caption);
    this.#schedule();
    await new Promise<void>((resolve) => setImmediate(resolve));
    await this.#painting;
  }

  get #live(): Caption[] {
    return [...this.#open].map(
      ([speaker, { final, draft, start }]) => new Caption(this.#label(speaker, start), final, draft),
    );
  }

  /** One picture for all events that come in a turn of the event loop. */
  #schedule(): void {
    if (!this.#screen || this.#scheduled) return;
    this.#scheduled = setImmediate(() => {
      this.#painting = this.#painting.then(() => {
        // Not before: while a slow terminal takes one picture, at most one waits.
        this.#scheduled = undefined;
        return this.#paint();
      });
      // Who waits for it gets the failure; when nobody does, it ends the sink all the same.
      this.#painting.catch((error: Error) => this.destroy(error));
    });
  }

  #cancel(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
  }

  async #paint(): Promise<void> {
    if (!this.#screen) return;
    const picture = this.#screen.paint(this.#settled, this.#live);
    this.#settled = [];
    if (picture !== '') await this.text(picture);
  }

  readonly #onResize = (): void => {
    const [screen, terminal] = [this.#screen, this.#terminal];
    if (!screen || !terminal || this.destroyed) return;
    this.#painting = this.#painting.then(() => this.text(screen.resize(sizeOf(terminal), this.#live)));
    this.#painting.catch((error: Error) => this.destroy(error));
  };
}

/** A label, what is final and what is a draft, broken into rows on demand. */
class Caption implements Block {
  readonly #label: string;
  readonly #final: string;
  readonly #draft: string;

  constructor(label: string, final: string, draft: string) {
    this.#label = label;
    this.#final = clean(final).trimStart();
    this.#draft = this.#final === '' ? clean(draft).trimStart() : clean(draft);
  }

  get plain(): string {
    return this.#label + this.#final + this.#draft;
  }

  layout(columns: number): ScreenRow[] {
    // Rows of a sentence stand below each other beside its label, where there is room for that.
    const label = widthOf(this.#label);
    const hanging = label * 2 <= columns ? label : 0;
    const final = hanging > 0 ? this.#final : this.#label + this.#final;
    const text = final + this.#draft;
    return wrap(text, columns - hanging).map(({ start, end }, index) => {
      const boundary = Math.min(Math.max(final.length, start), end);
      const lead = index === 0 ? BOLD + this.#label + PLAIN : ' '.repeat(hanging);
      const draft = text.slice(boundary, end);
      return {
        text: `${hanging > 0 ? lead : ''}${text.slice(start, boundary)}${draft === '' ? '' : DIM + draft + PLAIN}`,
        width: hanging + widthOf(text.slice(start, end)),
      };
    });
  }
}

function sizeOf(terminal: Terminal): { columns: number; rows: number } {
  return { columns: terminal.columns || 80, rows: terminal.rows || 24 };
}

/** `HH:MM:SS`. */
function clock(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Without control characters and marks that turn the writing direction: nothing in a transcript may steer the terminal. */
const clean = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');

/**
 * Makes a Writable of transcript events that shows them as live captions.
 *
 * On a terminal what is final is plain and the draft behind it dimmed; both are redrawn in place, at most once for all events of
 * one turn of the event loop, and broken into rows anew when the window changes its size. Sentences scroll away above. Elsewhere each
 * sentence is a plain line. Where events carry a `speaker`, it stands before the sentence, and each speaker who is speaking has rows
 * of their own. Nothing else should write to the terminal meanwhile.
 *
 * @param target default `process.stdout`.
 * @throws {@link ArgumentError} for a bad target or option. Failed writes destroy the sink with a `ParakeetError` (`ERR_PARAKEET_WRITE`)
 * whose `cause` is the system's error.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { parakeet, captionWriter } from 'parakeet-stream';
 *
 * await pipeline(createReadStream('talk.flac'), parakeet(), captionWriter(process.stdout, { timestamps: true }));
 * ```
 */
export function captionWriter(target: SinkTarget = process.stdout, options: CaptionOptions = {}): Sink {
  return new CaptionWriter(target, options);
}
