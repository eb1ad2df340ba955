/**
 * The base of the sinks that write subtitles: cues of the events, each in one write, so that the file is valid whenever the process dies.
 * Each format writes a cue in its own way.
 */
import type { TranscriptEvent } from '../events.js';
import { CueMaker, type CuePart, type SubtitleCue } from './cue-maker.js';
import type { CueWord } from './cue-words.js';
import { type Cue, type CueStyle, cuesOf, oneLine } from './format.js';
import { type Previous, previousText } from './previous.js';
import { Sink } from './sink.js';
import { type SubtitleOptions, type SubtitleRules, subtitleRules } from './subtitle-options.js';
import { widthOf } from './wrap.js';

/** A millisecond: the resolution of the formats. */
const TICK = 0.001;

export abstract class SubtitleWriter extends Sink {
  readonly #rules: SubtitleRules;
  readonly #style: CueStyle;
  readonly #cues: CueMaker;
  #broken = false;
  /** The current write. */
  #writing: Promise<void> = Promise.resolve();

  constructor(what: string, target: unknown, options: SubtitleOptions, style: CueStyle) {
    const rules = subtitleRules(what, options);
    super(target, options);
    this.#rules = rules;
    this.#style = style;
    this.#cues = new CueMaker(rules, (speaker) => widthOf(style.shownLabel(oneLine(speaker))));
  }

  /** Writes a cue, in one write. */
  protected abstract cue(cue: Cue): Promise<void>;

  protected override readPrevious(path: string): Promise<Previous> {
    return previousText(path);
  }

  protected override handle(event: TranscriptEvent): Promise<void> {
    this.#writing = this.#handle(event);
    return this.#writing;
  }

  async #handle(event: TranscriptEvent): Promise<void> {
    if (!this.#rules.perSentence) return await this.#write(this.#cues.push(event));
    if (event.type !== 'sentence') return;
    for (const cue of cuesOf(event, this.#rules.highlightWords, this.#style)) await this.#one(cue);
  }

  protected override async conclude(): Promise<void> {
    await this.#write(this.#cues.finish());
  }

  /** An aborted stream leaves every final word in a file; a pipe may have no reader any more. */
  protected override async release(): Promise<void> {
    if (this.writableFinished || !(await this.isFile())) return;
    await this.#writing.catch(() => {});
    if (!this.#broken) await this.conclude().catch(() => {});
  }

  async #write(cues: readonly SubtitleCue[]): Promise<void> {
    for (const cue of cues) {
      const shown = this.#rules.highlightWords ? this.#marked(cue) : [this.#plain(cue)];
      for (const one of shown) await this.#one(one);
    }
  }

  async #one(cue: Cue): Promise<void> {
    try {
      await this.cue(cue);
    } catch (error) {
      this.#broken = true;
      throw error;
    }
  }

  #plain({ start, end, parts }: SubtitleCue): Cue {
    return { start, end, text: parts.map((part) => this.#text(part, parts.length > 1)).join('\n') };
  }

  /** One cue per word, each until the next word begins. */
  #marked(cue: SubtitleCue): Cue[] {
    const { start, end, parts } = cue;
    const [part] = parts as [CuePart];
    const words = part.lines.flat();
    if (end - start < words.length * TICK) return [this.#plain(cue)];
    const starts = [start];
    for (let i = 1; i < words.length; i++) {
      const latest = end - (words.length - i) * TICK;
      const earliest = (starts[i - 1] as number) + TICK;
      const wanted = Math.max(earliest, Math.min((words[i] as CueWord).start, latest));
      starts.push(Math.round(wanted / TICK) * TICK);
    }
    return words.map((word, i) => ({
      start: starts[i] as number,
      end: starts[i + 1] ?? end,
      text: this.#text(part, false, word),
    }));
  }

  #text({ speaker, lines }: CuePart, closed: boolean, spoken?: CueWord): string {
    const style = this.#style;
    const shown = (word: CueWord) => {
      const safe = style.escape(word.text);
      return word === spoken ? style.highlight(safe) : safe;
    };
    const text = lines
      .map((line) => line.map((word, i) => (word.spaced && i > 0 ? ' ' : '') + shown(word)).join(''))
      .join('\n');
    if (speaker === undefined) return text;
    return style.label(oneLine(speaker)) + text + (closed ? style.closeLabel : '');
  }
}
