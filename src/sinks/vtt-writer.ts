/**
 * The sink that writes WebVTT subtitles.
 */
import type { SinkTarget } from './destination.js';
import { type Cue, type CueStyle, formatSpan } from './format.js';
import type { Sink } from './sink.js';
import type { SubtitleOptions } from './subtitle-options.js';
import { SubtitleWriter } from './subtitle-writer.js';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const STYLE: CueStyle = {
  escape: (text) => text.replace(/[&<>]/g, (character) => ENTITIES[character] as string),
  highlight: (text) => `<b>${text}</b>`,
  label: (speaker) => `<v ${STYLE.escape(speaker)}>`,
  // Players show the voice by its style, not as text.
  shownLabel: () => '',
  closeLabel: '</v>',
};

class VttWriter extends SubtitleWriter {
  constructor(target: unknown, options: SubtitleOptions) {
    super('vttWriter', target, options, STYLE);
  }

  protected override async begin(): Promise<void> {
    const { begun, separator } = this.previous;
    if (!begun) await this.text('WEBVTT\n');
    else if (separator !== '') await this.text(separator);
  }

  protected override async cue(cue: Cue): Promise<void> {
    await this.text(`\n${formatSpan(cue, '.')}\n${cue.text}\n`);
  }
}

/**
 * Makes a Writable of transcript events that writes them as WebVTT (`.vtt`), with the same cues as `srtWriter`. Markup characters are
 * escaped.
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for an invalid target or option. The sink fails with a `WriteError` (`ERR_PARAKEET_WRITE`) whose `cause` is
 * the system's error when a write fails.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { parakeet, vttWriter } from 'parakeet-stream';
 *
 * await pipeline(createReadStream('talk.flac'), parakeet(), vttWriter('talk.vtt', { highlightWords: true }));
 * ```
 */
export function vttWriter(target: SinkTarget, options: SubtitleOptions = {}): Sink {
  return new VttWriter(target, options);
}
