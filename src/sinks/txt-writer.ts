/**
 * The sink that writes plain text: one sentence a line, each line one write.
 */
import type { TranscriptEvent } from '../events.js';
import type { SinkTarget } from './destination.js';
import { Sink, type SinkOptions } from './sink.js';

class TxtWriter extends Sink {
  protected override async handle(event: TranscriptEvent): Promise<void> {
    if (event.type !== 'sentence') return;
    const label = event.speaker === undefined ? '' : `${event.speaker}: `;
    await this.text(`${label}${event.sentence.text}\n`);
  }
}

/**
 * Makes a Writable of transcript events that writes their sentences as plain text, one a line.
 *
 * @param target a path (its folder must exist), a file descriptor, or a Writable.
 * @throws {@link ArgumentError} for a bad target. Failed writes destroy the sink with a `ParakeetError` (`ERR_PARAKEET_WRITE`)
 * whose `cause` is the system's error.
 */
export function txtWriter(target: SinkTarget, options: SinkOptions = {}): Sink {
  return new TxtWriter(target, options);
}
