/**
 * The sink that writes plain text: one sentence per line, each line in one write.
 */
import type { TranscriptEvent } from '../events.js';
import type { SinkTarget } from './destination.js';
import { type Previous, previousText } from './previous.js';
import { checkFileSinkOptions, type FileSinkOptions, Sink } from './sink.js';

class TxtWriter extends Sink {
  constructor(target: unknown, options: FileSinkOptions) {
    checkFileSinkOptions('txtWriter', options);
    super(target, options);
  }

  protected override readPrevious(path: string): Promise<Previous> {
    return previousText(path);
  }

  protected override async begin(): Promise<void> {
    if (this.previous.separator !== '') await this.text(this.previous.separator);
  }

  protected override async handle(event: TranscriptEvent): Promise<void> {
    if (event.type !== 'sentence') return;
    const label = event.speaker === undefined ? '' : `${event.speaker}: `;
    await this.text(`${label}${event.sentence.text}\n`);
  }
}

/**
 * Makes a Writable of transcript events that writes their sentences as plain text, one per line.
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for an invalid target or option. The sink fails with a `WriteError` (`ERR_PARAKEET_WRITE`) whose `cause` is
 * the system's error when a write fails.
 *
 * @example
 * ```js
 * import { createReadStream } from 'node:fs';
 * import { pipeline } from 'node:stream/promises';
 * import { parakeet, txtWriter } from 'parakeet-stream';
 *
 * await pipeline(createReadStream('talk.flac'), parakeet(), txtWriter('talk.txt'));
 * ```
 */
export function txtWriter(target: SinkTarget, options: FileSinkOptions = {}): Sink {
  return new TxtWriter(target, options);
}
