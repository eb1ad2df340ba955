/** The sentences of a session, as they were heard and as they were edited. Pure data: the screen is in caption-list.ts. */
import type { RoomSentence, RoomWord } from '../../server/rooms/room-events.js';

export class Transcript {
  readonly #sentences: RoomSentence[] = [];

  get sentences(): readonly RoomSentence[] {
    return this.#sentences;
  }

  /** Adds a sentence; gives its index. */
  add(sentence: RoomSentence): number {
    return this.#sentences.push(sentence) - 1;
  }

  /** Replaces the text of a sentence. Its words keep their times if their number is the same, else they share the sentence's. */
  edit(index: number, text: string): void {
    const sentence = this.#sentences[index];
    if (!sentence || sentence.text === text) return;
    this.#sentences[index] = { ...sentence, text, words: wordsFor(text, sentence) };
  }
}

function wordsFor(text: string, { words, start, end }: RoomSentence): RoomWord[] {
  const texts = text.split(/\s+/).filter((word) => word !== '');
  if (texts.length === words.length) return words.map((word, i) => ({ ...word, text: texts[i] as string }));
  const letters = texts.reduce((sum, word) => sum + word.length, 0);
  let at = start;
  return texts.map((word) => {
    const from = at;
    at += ((end - start) * word.length) / letters;
    return { text: word, start: from, end: at, confidence: 1 };
  });
}
