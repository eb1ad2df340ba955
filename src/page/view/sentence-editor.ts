/** After the end: sentences can be heard again and corrected. Each is a text box with a button that plays its sound. */
import type { Recording } from '../sound/recording.js';
import { clock } from './elements.js';
import type { Transcript } from './transcript.js';

/** Seconds of sound before and behind a sentence. */
const MARGIN = 0.15;

/** The elements of a sentence on the screen. */
export interface SentenceElements {
  item: HTMLElement;
  time: HTMLElement;
  text: HTMLElement;
}

export function makeEditable(
  elements: readonly SentenceElements[],
  transcript: Transcript,
  recording: Recording,
): void {
  elements.forEach((one, index) => {
    const sentence = transcript.sentences[index];
    if (!sentence) return;
    const { start, end } = sentence;
    makePlayable(one, recording, start, end);
    const { text } = one;
    text.contentEditable = 'plaintext-only';
    text.spellcheck = true;
    text.setAttribute('role', 'textbox');
    text.setAttribute('aria-label', `Sentence at ${clock(start)}`);
    text.addEventListener('keydown', (event) => {
      // A sentence is one line.
      if (event.key === 'Enter') {
        event.preventDefault();
        text.blur();
      }
    });
    text.addEventListener('input', () => {
      transcript.edit(index, (text.textContent ?? '').replace(/\s+/g, ' ').trim());
    });
  });
}

function makePlayable(
  { item, time }: SentenceElements,
  recording: Recording,
  start: number,
  end: number,
): void {
  const button = time as HTMLButtonElement;
  if (!recording.has(start)) return;
  button.disabled = false;
  button.setAttribute('aria-label', `Hear the sentence at ${clock(start)}`);
  button.addEventListener('click', () => {
    const wasPlaying = item.classList.contains('playing');
    recording.stop();
    if (wasPlaying) return;
    item.classList.add('playing');
    recording.play(Math.max(0, start - MARGIN), end + MARGIN, () => item.classList.remove('playing'));
  });
}
