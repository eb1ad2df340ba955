/** Sentences as they were edited, and the files that are made of them: the same as the library's writers write. */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { srtWriter, type TranscriptEvent, vttWriter } from '../../src/index.js';
import { fileOf } from '../../src/page/view/files.js';
import { Transcript } from '../../src/page/view/transcript.js';
import type { RoomSentence } from '../../src/server/rooms/room-events.js';

function sentence(text: string, start: number): RoomSentence {
  const words = text.split(' ').map((word, i) => ({
    text: word,
    start: start + i * 0.4,
    end: start + i * 0.4 + 0.3,
    confidence: 0.9,
  }));
  return { start, end: words.at(-1)?.end ?? start, text, confidence: 0.9, words };
}

const LONG =
  'It will be seen that I did not succeed in my design, and that, however much I may have met with that was new and strange, I gained nothing.';
const SENTENCES = [sentence('Good morning.', 0.5), sentence(LONG, 3), sentence('A <b> & a c.', 20)];

/** What a writer of the library makes of the sentences. */
async function written(writer: typeof srtWriter): Promise<string> {
  let text = '';
  const sink = writer(
    new Writable({
      write(chunk, _, done) {
        text += chunk;
        done();
      },
    }),
  );
  for (const { words, ...one } of SENTENCES) {
    const tokens = words.map((word, i) => ({
      ...word,
      id: 1,
      text: (i === 0 ? '' : ' ') + word.text,
      duration: word.end - word.start,
    }));
    const event: TranscriptEvent = {
      type: 'sentence',
      sentence: { ...one, words, tokens, duration: one.end - one.start },
    };
    sink.write(event);
  }
  sink.end();
  await finished(sink);
  return text;
}

describe('files', () => {
  test('of subtitles are those of the library', async () => {
    expect(fileOf(SENTENCES, 'srt')).toBe(await written(srtWriter));
    expect(fileOf(SENTENCES, 'vtt')).toBe(await written(vttWriter));
  });

  test('of text have a line for each sentence, without those that were emptied', () => {
    expect(fileOf([...SENTENCES, sentence(' ', 30)], 'txt')).toBe(`Good morning.\n${LONG}\nA <b> & a c.\n`);
  });

  test('of JSON have words and times', () => {
    const { sentences, text } = JSON.parse(fileOf(SENTENCES, 'json'));
    expect(sentences).toEqual(SENTENCES);
    expect(text).toBe(`Good morning. ${LONG} A <b> & a c.`);
  });

  test('of nothing are valid', () => {
    expect(fileOf([], 'vtt')).toBe('WEBVTT\n');
    expect(fileOf([], 'srt')).toBe('');
  });
});

describe('an edited sentence', () => {
  test('keeps the times of its words if their number is the same', () => {
    const transcript = new Transcript();
    transcript.add(sentence('Good mourning.', 1));
    transcript.edit(0, 'Good morning.');
    expect(transcript.sentences[0]).toEqual(sentence('Good morning.', 1));
  });

  test('shares its time among other words, in order', () => {
    const transcript = new Transcript();
    transcript.add(sentence('Good mourning.', 1));
    transcript.edit(0, 'A very good morning to you.');
    const { words, start, end } = transcript.sentences[0] as RoomSentence;
    expect(words.map(({ text }) => text)).toEqual(['A', 'very', 'good', 'morning', 'to', 'you.']);
    expect(words[0]?.start).toBe(start);
    expect(words.at(-1)?.end).toBeCloseTo(end, 9);
    for (const [i, word] of words.entries()) expect(word.start).toBe(i === 0 ? start : words[i - 1]?.end);
  });

  test('may become empty', () => {
    const transcript = new Transcript();
    transcript.add(sentence('Hm.', 1));
    transcript.edit(0, '');
    transcript.edit(7, 'there is no such sentence');
    expect(transcript.sentences).toMatchObject([{ text: '', words: [] }]);
  });
});
