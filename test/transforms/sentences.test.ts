import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sentence, StreamStats, Token, TranscriptEvent } from '../../src/events.js';
import type { SentenceOptions } from '../../src/text/sentence-options.js';
import { SentenceSplitter, splitSentences } from '../../src/text/sentence-splitter.js';
import { type SentencesOptions, sentences } from '../../src/transforms/sentences.js';

const FRAME = 0.08;
const token = (text: string, start: number, duration = 1, confidence = 0.9): Token => ({
  id: 0,
  text,
  start: start * FRAME,
  end: (start + duration) * FRAME,
  duration: duration * FRAME,
  confidence,
});
const stats: StreamStats = {
  audioSeconds: 1,
  computeSeconds: 1,
  realTimeFactor: 1,
  steps: 1,
  draftsDropped: 0,
  stepsGrown: 0,
  maxLag: 0,
  latency: { p50: 0, p95: 0, max: 0 },
};
const texts = (list: Sentence[]): string[] => list.map((sentence) => sentence.text);

async function through(
  events: TranscriptEvent[],
  options: SentencesOptions = {},
): Promise<TranscriptEvent[]> {
  const out: TranscriptEvent[] = [];
  for await (const event of Readable.from(events).pipe(sentences(options)))
    out.push(event as TranscriptEvent);
  return out;
}

describe('where sentences end', () => {
  interface Case {
    options: SentenceOptions;
    tokens: [string, number, number][];
    sentences: string[];
  }
  const path = new URL('./sentences.reference.json', import.meta.url);
  /** At an abbreviation, and before a small letter where there are capital ones, we differ on purpose (abbreviations.test.ts). */
  const cases = (JSON.parse(readFileSync(path, 'utf8')) as Case[]).filter(
    ({ tokens }) => !/Mr\.|[A-Z].*\. +[a-z]/.test(tokens.map(([text]) => text).join('')),
  );

  test('most cases of parakeet-mlx are looked at', () => expect(cases.length).toBeGreaterThan(20));

  test.each(cases)('as in parakeet-mlx, case $#', ({ options, tokens, sentences: expected }) => {
    const got = splitSentences(
      tokens.map(([text, start, duration]) => token(text, start, duration)),
      options,
    );
    expect(texts(got)).toEqual(expected.map((text) => text.trim()));
  });

  test('a full stop ends a sentence only before a space', () => {
    const tokens = [' 3', '.', '14', ' is', ' pi', '.', ' Yes'].map((text, i) => token(text, i));
    expect(texts(splitSentences(tokens))).toEqual(['3.14 is pi.', 'Yes']);
  });

  test('tokens without text decide nothing and go with the next word', () => {
    const tokens = [' a', '.', '', ' b', ''].map((text, i) => token(text, i));
    const got = splitSentences(tokens);
    expect(texts(got)).toEqual(['a.', 'b']);
    expect(got.flatMap((sentence) => sentence.tokens)).toEqual(tokens.slice(0, -1));
    expect(splitSentences([token('', 0)])).toEqual([]);
  });

  test('a sentence is over when its time is, with or without a token', () => {
    const splitter = new SentenceSplitter({ maxDuration: 10 * FRAME });
    expect(splitter.push(token(' a', 0))).toEqual([]);
    expect(splitter.progress(9 * FRAME)).toEqual([]);
    expect(texts(splitter.progress(10 * FRAME))).toEqual(['a']);
    expect(splitter.push(token(' b', 11))).toEqual([]);
    expect(texts(splitter.push(token(' c', 21)))).toEqual(['b']);
    expect(texts(splitter.push(token(' d', 30)))).toEqual(['c d']);
  });

  test('progress past a silence gap ends the sentence before the next word comes', () => {
    const splitter = new SentenceSplitter({ maxGap: 0.8 });
    splitter.push(token(' a', 0));
    expect(splitter.progress(10 * FRAME)).toEqual([]);
    expect(texts(splitter.progress(11 * FRAME))).toEqual(['a']);
    expect(splitter.progress(50 * FRAME)).toEqual([]);
  });

  test('has words, times and the geometric mean of confidences', () => {
    const [sentence] = splitSentences([token(' wo', 2, 1, 0.5), token('rd', 3, 2, 0.8), token('!', 6, 0, 1)]);
    expect(sentence).toMatchObject({ text: 'word!', start: 2 * FRAME, end: 6 * FRAME });
    expect(sentence?.confidence).toBeCloseTo((0.5 * 0.8) ** (1 / 3), 6);
    expect(sentence?.words).toHaveLength(1);
    expect(sentence?.words[0]).toMatchObject({ text: 'word!', start: 2 * FRAME, end: 6 * FRAME });
  });

  test('when progress events come changes nothing, and no token is lost', () => {
    const steps = fc.array(
      fc.tuple(
        fc.constantFrom(' a', 'b', '.', '?', ' .5', '', ','),
        fc.nat(12),
        fc.nat(3),
        fc.array(fc.nat(12)),
      ),
      { maxLength: 30 },
    );
    const options = fc.record(
      {
        maxWords: fc.integer({ min: 1, max: 4 }),
        maxGap: fc.constantFrom(0.2, 0.4, 1),
        maxDuration: fc.constantFrom(0.4, 1, 2),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(steps, options, (list, chosen) => {
        const splitter = new SentenceSplitter(chosen);
        const tokens: Token[] = [];
        const live: Sentence[] = [];
        let time = 0;
        for (const [text, pause, duration, ticks] of list) {
          for (const tick of [...ticks].sort((a, b) => a - b)) {
            if (tick <= pause) live.push(...splitter.progress((time + tick) * FRAME));
          }
          tokens.push(token(text, time + pause, duration));
          time += pause + duration;
          live.push(...splitter.push(tokens.at(-1) as Token));
        }
        live.push(...splitter.finish());
        expect(live).toEqual(splitSentences(tokens, chosen));
        const kept = live.flatMap((sentence) => sentence.tokens).filter((one) => one.text !== '');
        expect(kept).toEqual(tokens.filter((one) => one.text !== ''));
      }),
      { numRuns: 300, seed: 7 },
    );
  });

  test.each([
    [{ maxWords: 0 }, /positive integer for maxWords but received 0 of type number/],
    [{ maxGap: -1 }, /positive number for maxGap but received -1/],
    [{ maxDuration: Number.NaN }, /maxDuration but received NaN/],
  ])('refuses %o', (options, message) => {
    expect(() => new SentenceSplitter(options)).toThrow(message);
  });
});

describe('the sentences stage', () => {
  const a = token(' a', 0);
  const stop = token('.', 1);
  const b = token(' b', 2);

  test('passes every event, a token at once, and puts sentences between', async () => {
    const events: TranscriptEvent[] = [
      { type: 'token', token: a },
      { type: 'token', token: stop },
      { type: 'draft', tokens: [b], text: 'b', revision: 1 },
      { type: 'progress', time: 0.16 },
      { type: 'token', token: b },
      { type: 'end', stats },
    ];
    const out = await through(events);
    expect(out.filter((event) => event.type !== 'sentence')).toEqual(events);
    expect(out.map((event) => (event.type === 'sentence' ? event.sentence.text : event.type))).toEqual([
      'token',
      'token',
      'draft',
      'progress',
      'a.',
      'token',
      'b',
      'end',
    ]);
  });

  test('does not wait for the next token at a silence gap', async () => {
    const source = new Readable({ objectMode: true, read() {} });
    const stage = source.pipe(sentences({ maxGap: 1 }));
    source.push({ type: 'token', token: a });
    source.push({ type: 'progress', time: 2 });
    const seen: string[] = [];
    for await (const event of stage) {
      seen.push((event as TranscriptEvent).type);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['token', 'sentence', 'progress']);
  });

  test('collect puts the result into end, and only then', async () => {
    const events: TranscriptEvent[] = [a, stop, b].map((one) => ({ type: 'token', token: one }));
    const out = await through([...events, { type: 'end', stats }], { collect: true });
    const end = out.at(-1);
    if (end?.type !== 'end') throw new Error('no end');
    expect(end.result?.text).toBe('a. b');
    expect(texts(end.result?.sentences ?? [])).toEqual(['a.', 'b']);
    expect(end.result?.tokens).toEqual([a, stop, b]);
    expect((await through([{ type: 'end', stats }])).at(-1)).toEqual({ type: 'end', stats });
  });

  test('an input without an end event still leaves its last sentence', async () => {
    expect((await through([{ type: 'token', token: a }])).map((event) => event.type)).toEqual([
      'token',
      'sentence',
    ]);
  });

  test('passes events of types that it does not know', async () => {
    const strange = { type: 'lag', seconds: 3 } as unknown as TranscriptEvent;
    expect(await through([strange])).toEqual([strange]);
  });
});

test('a misspelt option is refused', () => {
  expect(() => sentences({ maxWord: 3 } as SentencesOptions)).toThrow(/maxWord/);
  expect(() => sentences({ signal: 1 } as never)).toThrow(/signal/);
});
