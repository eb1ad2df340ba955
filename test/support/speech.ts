/**
 * Where speech begins and ends among the events of a stream: these events come as soon as they are decided, at no fixed place among the
 * others, whose order is fixed.
 */
import type { SpeechEndEvent, SpeechStartEvent, TranscriptEvent } from '../../src/events.js';

export function isSpeech(event: TranscriptEvent): event is SpeechStartEvent | SpeechEndEvent {
  return event.type === 'speechStart' || event.type === 'speechEnd';
}

/** The two, each in its order. */
export function parted(events: readonly TranscriptEvent[]) {
  return { speech: events.filter(isSpeech), others: events.filter((event) => !isSpeech(event)) };
}
