/** Where speech begins and ends, as the front end finds it: from mel frames to seconds, and to the events of a transcript. */
import type { NativeFrames, NativeModelInfo } from '../engine/addon.js';
import type { SpeechChange, SpeechEndEvent, SpeechStartEvent } from '../events.js';

/** What some mel frames have decided, in seconds of the stream. */
export function speechOf(
  { hop, sampleRate }: NativeModelInfo,
  { changes = [] }: NativeFrames,
): SpeechChange[] {
  return changes.map(({ melFrame, speech }) => ({ time: (melFrame * hop) / sampleRate, speaking: speech }));
}

export function speechEvent({ time, speaking }: SpeechChange): SpeechStartEvent | SpeechEndEvent {
  return { type: speaking ? 'speechStart' : 'speechEnd', time };
}
