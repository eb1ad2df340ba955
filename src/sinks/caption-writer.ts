/**
 * The sink that shows live captions: final text plain, the draft dimmed behind it, redrawn in place on a terminal. Other targets get plain
 * lines, one per sentence. How rows get onto a screen is in live-screen.ts.
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
  /** By speaker, in the order in which they began; `undefined` is the key of events without a speaker. */
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
    // A dumb terminal (an editor's shell, for example) understands no commands.
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
        // Until the next draft comes, the old one without what has become final; nothing if it was wrong.
        open.draft = open.draft.startsWith(event.token.text) ? open.draft.slice(event.token.text.length) : '';
        return this.#schedule();
      }
      case 'draft':
        this.#setDraft(event.speaker, event.tokens);
        return this.#schedule();
      case 'sentence': {
        const { tokens, text, start } = event.sentence;
        this.#take(event.speaker, tokens);
        // Sentences wait until they are written, so that a slow terminal causes back-pressure; everything else is only repainted.
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

  /** Words that no sentence has taken (there is no `sentences` stage before this sink) are not lost. */
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

  /** Usually the open text is exactly one sentence; what came after its last token stays. */
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

  /** One repaint for all events of a turn of the event loop. */
  #schedule(): void {
    if (!this.#screen || this.#scheduled) return;
    this.#scheduled = setImmediate(() => {
      this.#painting = this.#painting.then(() => {
        // Not before: while a slow terminal takes one picture, at most one more waits.
        this.#scheduled = undefined;
        return this.#paint();
      });
      // A caller that awaits it gets the failure; in any case the failure ends the sink.
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

/** A label, the final text and the draft, broken into rows on demand. */
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
    // Rows of a sentence are aligned beside its label, if there is room for that.
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

/** Removes control characters and marks that change the writing direction: no text of a transcript may control the terminal. */
const clean = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');

/**
 * Makes a Writable of transcript events that shows them as live captions.
 *
 * On a terminal, final text is plain and the draft behind it dimmed. Both are redrawn in place, at most once per turn of the event loop,
 * and wrapped again when the window is resized. Sentences scroll away above. On other targets each sentence is a plain line. If events have
 * a `speaker`, it precedes the sentence, and each active speaker has rows of their own. Nothing else should write to the terminal
 * meanwhile.
 *
 * @param target Without it `process.stdout`; or a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for an invalid target or option. The sink fails with a `WriteError` (`ERR_PARAKEET_WRITE`) whose `cause` is
 * the system's error when a write fails.
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
