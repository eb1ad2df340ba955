/** The JSON document key by key as parakeet-mlx's command writes it (test/fixtures/parakeet-mlx/transcript.py made the examples). */
import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { jsonWriter } from '../../src/sinks/json-writer.js';
import { splitSentences } from '../../src/text/sentence-splitter.js';

interface Case {
  name: string;
  tokens: { text: string; start: number; frames: number; confidence: number }[];
  output: string;
}
interface Document {
  text: string;
  sentences: { text: string }[];
}

const FRAME = 0.08;
const cases = JSON.parse(
  readFileSync(new URL('../fixtures/parakeet-mlx/transcript.json', import.meta.url), 'utf8'),
) as Case[];

test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, { tokens, output }) => {
  const sentences = splitSentences(
    tokens.map(({ text, start, frames, confidence }, id): Token => {
      const duration = frames * FRAME;
      // Control tokens have no text with us from the vocabulary on, with parakeet-mlx when its command writes.
      const said = text === '<unk>' ? '' : text;
      return { id, text: said, start: start * FRAME, end: start * FRAME + duration, duration, confidence };
    }),
  );
  const events = sentences.map((sentence): TranscriptEvent => ({ type: 'sentence', sentence }));
  let written = '';
  const target = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      written += chunk.toString();
      callback();
    },
  });
  await pipeline(Readable.from(events), jsonWriter(target));

  // The one difference: a sentence's text has no space before it. The text of the file shows the order of the keys too.
  const theirs = JSON.parse(output) as Document;
  for (const sentence of theirs.sentences) sentence.text = sentence.text.trim();
  expect(written).toBe(`${JSON.stringify(theirs, null, 2)}\n`);
});
