/**
 * The sink that writes SubRip subtitles.
 */
import type { SinkTarget } from './destination.js';
import { type Cue, type CueStyle, formatSpan } from './format.js';
import type { Sink } from './sink.js';
import type { SubtitleOptions } from './subtitle-options.js';
import { SubtitleWriter } from './subtitle-writer.js';

const STYLE: CueStyle = {
  escape: (text) => text,
  highlight: (text) => `<u>${text}</u>`,
  label: (speaker) => `${speaker}: `,
  shownLabel: (speaker) => `${speaker}: `,
  closeLabel: '',
};

class SrtWriter extends SubtitleWriter {
  #cues = 0;
  #begun = false;

  constructor(target: unknown, options: SubtitleOptions) {
    super('srtWriter', target, options, STYLE);
  }

  protected override async begin(): Promise<void> {
    const { cues, begun, separator } = this.previous;
    this.#cues = cues;
    this.#begun = begun;
    if (separator !== '') await this.text(separator);
  }

  protected override async cue(cue: Cue): Promise<void> {
    const separator = this.#begun ? '\n' : '';
    this.#begun = true;
    this.#cues += 1;
    await this.text(`${separator}${this.#cues}\n${formatSpan(cue, ',')}\n${cue.text}\n`);
  }
}

/**
 * Makes a Writable of transcript events that writes them as SubRip (`.srt`): at most two lines of 42 columns per cue, for 1 to 7 s, as far
 * as the speech allows; {@link SubtitleOptions} change that. Cues are written as they become final and never overlap; two people who speak
 * at the same time share a cue, or the time.
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for an invalid target or option. The sink fails with a `WriteError` (`ERR_PARAKEET_WRITE`) whose `cause` is
 * the system's error when a write fails.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { parakeet, srtWriter } from 'parakeet-stream';
 *
 * await pipeline(createReadStream('talk.flac'), parakeet(), srtWriter('talk.srt', { maxLineWidth: 32 }));
 * ```
 */
export function srtWriter(target: SinkTarget, options: SubtitleOptions = {}): Sink {
  return new SrtWriter(target, options);
}
