/**
 * The sink that writes SubRip subtitles. One write a cue, so that the file is valid whenever the process dies.
 */
import type { TranscriptEvent } from '../events.js';
import { optionalBoolean } from '../options.js';
import type { SinkTarget } from './destination.js';
import { type CueStyle, cuesOf, formatSpan } from './format.js';
import { type Previous, previousText } from './previous.js';
import { checkFileSinkOptions, type FileSinkOptions, Sink } from './sink.js';

/** Options of {@link srtWriter} and `vttWriter`. */
export interface SubtitleOptions extends FileSinkOptions {
  /** One cue a word, with that word marked, instead of one a sentence. parakeet-mlx marks tokens, which are parts of words. Default false. */
  highlightWords?: boolean | undefined;
}

const STYLE: CueStyle = {
  escape: (text) => text,
  highlight: (text) => `<u>${text}</u>`,
  label: (speaker) => `${speaker}: `,
};

class SrtWriter extends Sink {
  readonly #highlightWords: boolean;
  #cues = 0;
  #begun = false;

  constructor(target: unknown, options: SubtitleOptions) {
    checkFileSinkOptions('srtWriter', options, ['highlightWords']);
    const highlightWords = optionalBoolean('highlightWords', options.highlightWords) ?? false;
    super(target, options);
    this.#highlightWords = highlightWords;
  }

  protected override readPrevious(path: string): Promise<Previous> {
    return previousText(path);
  }

  protected override async begin(): Promise<void> {
    this.#cues = this.previous.cues;
    this.#begun = this.previous.begun;
    if (this.previous.separator !== '') await this.text(this.previous.separator);
  }

  protected override async handle(event: TranscriptEvent): Promise<void> {
    if (event.type !== 'sentence') return;
    for (const cue of cuesOf(event, this.#highlightWords, STYLE)) {
      this.#cues += 1;
      const separator = this.#begun ? '\n' : '';
      this.#begun = true;
      await this.text(`${separator}${this.#cues}\n${formatSpan(cue, ',')}\n${cue.text}\n`);
    }
  }
}

/**
 * Makes a Writable of transcript events that writes their sentences as SubRip (`.srt`).
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for a bad target or option. Failed writes destroy the sink with a `ParakeetError`
 * (`ERR_PARAKEET_WRITE`) whose `cause` is the system's error.
 */
export function srtWriter(target: SinkTarget, options: SubtitleOptions = {}): Sink {
  return new SrtWriter(target, options);
}
