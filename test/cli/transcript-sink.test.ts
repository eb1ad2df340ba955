// The sink of one recording of the command: what is written when the work is stopped in the middle.
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { TranscriptSink } from '../../src/cli/transcript-sink.js';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { sentenceOf } from '../../src/text/sentence-splitter.js';

const token = (text: string, start: number): Token => ({
  id: 1,
  text,
  start,
  end: start + 0.1,
  duration: 0.1,
  confidence: 1,
});

test('stopped: the words that are in no sentence yet become one, of each speaker', async () => {
  const written: TranscriptEvent[] = [];
  const output = new Writable({
    objectMode: true,
    write: (event: TranscriptEvent, _, callback) => {
      written.push(event);
      callback();
    },
  });
  const sink = new TranscriptSink(() => output, { onSentence: () => {} });
  const say = (speaker: string, text: string, start: number) =>
    sink.write({ type: 'token', token: token(text, start), speaker } satisfies TranscriptEvent);
  say('Anna', ' Hello.', 0);
  say('Ben', ' Good', 0.5);
  say('Anna', ' How', 1);
  sink.write({ type: 'sentence', sentence: sentenceOf([token(' Hello.', 0)]), speaker: 'Anna' });
  say('Ben', ' day', 1.5);
  await new Promise((resolve) => setImmediate(resolve));
  sink.destroy();
  await sink.settled;
  const sentences = written.flatMap((event) =>
    event.type === 'sentence' ? [`${event.speaker}: ${event.sentence.text}`] : [],
  );
  expect(sentences).toEqual(['Anna: Hello.', 'Anna: How', 'Ben: Good day']);
});
