/**
 * The sink that writes WebVTT subtitles. One write a cue, so that the file is valid whenever the process dies.
 */
import type { TranscriptEvent } from '../events.js';
import { optionalBoolean } from '../options.js';
import type { SinkTarget } from './destination.js';
import { type CueStyle, cuesOf, formatSpan } from './format.js';
import { type Previous, previousText } from './previous.js';
import { checkFileSinkOptions, Sink } from './sink.js';
import type { SubtitleOptions } from './srt-writer.js';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const STYLE: CueStyle = {
  escape: (text) => text.replace(/[&<>]/g, (character) => ENTITIES[character] as string),
  highlight: (text) => `<b>${text}</b>`,
  label: (speaker) => `<v ${STYLE.escape(speaker)}>`,
};

class VttWriter extends Sink {
  readonly #highlightWords: boolean;

  constructor(target: unknown, options: SubtitleOptions) {
    checkFileSinkOptions('vttWriter', options, ['highlightWords']);
    const highlightWords = optionalBoolean('highlightWords', options.highlightWords) ?? false;
    super(target, options);
    this.#highlightWords = highlightWords;
  }

  protected override readPrevious(path: string): Promise<Previous> {
    return previousText(path);
  }

  protected override async begin(): Promise<void> {
    const { begun, separator } = this.previous;
    if (!begun) await this.text('WEBVTT\n');
    else if (separator !== '') await this.text(separator);
  }

  protected override async handle(event: TranscriptEvent): Promise<void> {
    if (event.type !== 'sentence') return;
    for (const cue of cuesOf(event, this.#highlightWords, STYLE)) {
      await this.text(`\n${formatSpan(cue, '.')}\n${cue.text}\n`);
    }
  }
}

/**
 * Makes a Writable of transcript events that writes their sentences as WebVTT (`.vtt`). Markup characters are escaped.
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for a bad target or option. Failed writes destroy the sink with a `ParakeetError`
 * (`ERR_PARAKEET_WRITE`) whose `cause` is the system's error.
 */
export function vttWriter(target: SinkTarget, options: SubtitleOptions = {}): Sink {
  return new VttWriter(target, options);
}
