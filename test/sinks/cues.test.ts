/**
 * The habits of subtitling: how long cues and lines are, where they are broken, when they are written, and that they never overlap.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AbortedError, ArgumentError } from '../../src/errors.js';
import type { Sentence, Token, TranscriptEvent } from '../../src/events.js';
import { srtWriter } from '../../src/sinks/srt-writer.js';
import type { SubtitleOptions } from '../../src/sinks/subtitle-options.js';
import { vttWriter } from '../../src/sinks/vtt-writer.js';
import { sentenceOf, splitSentences } from '../../src/text/sentence-splitter.js';
import { type ParsedCue, parseSrt, parseVtt } from '../support/transcript.js';

/** Words, each of so many seconds, with the pauses after them that a number names: `one 0.5 two`. */
function speak(text: string, { start = 0, seconds = 0.3 } = {}): Token[] {
  const tokens: Token[] = [];
  let at = start;
  for (const word of text.split(' ')) {
    if (/^\d+(\.\d+)?$/.test(word)) at += Number(word);
    else {
      tokens.push({
        id: 1,
        text: ` ${word}`,
        start: at,
        end: at + seconds,
        duration: seconds,
        confidence: 1,
      });
      at += seconds;
    }
  }
  return tokens;
}

/** Tokens, then progress to each one's end; sentences where they end, as `sentences` sends them. */
function events(tokens: Token[], speaker?: string): TranscriptEvent[] {
  const by = speaker === undefined ? {} : { speaker };
  const ends = new Map(splitSentences(tokens).map((sentence) => [sentence.tokens.at(-1), sentence]));
  return tokens.flatMap((token): TranscriptEvent[] => {
    const sentence = ends.get(token);
    return [
      { type: 'token', token, ...by },
      ...(sentence ? [{ type: 'sentence', sentence, ...by } as const] : []),
      { type: 'progress', time: token.end },
    ];
  });
}

const sentenceEvent = (sentence: Sentence, speaker?: string): TranscriptEvent => ({
  type: 'sentence',
  sentence,
  ...(speaker === undefined ? {} : { speaker }),
});

/** What a sink writes, write by write. */
async function written(stream: TranscriptEvent[], options: SubtitleOptions = {}, make = srtWriter) {
  const writes: string[] = [];
  const target = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      writes.push(chunk.toString());
      callback();
    },
  });
  await pipeline(Readable.from(stream), make(target, options));
  return writes;
}

const srt = async (stream: TranscriptEvent[], options: SubtitleOptions = {}): Promise<ParsedCue[]> =>
  parseSrt((await written(stream, options)).join(''));

const textOf = (cues: ParsedCue[]) => cues.map(({ text }) => text.replace('\n', ' ')).join(' ');

function expectHabits(cues: ParsedCue[], { lines = 2, columns = 42, longest = 7 } = {}) {
  let end = 0;
  for (const cue of cues) {
    const rows = cue.text.replace(/<\/?[ub]>/g, '').split('\n');
    expect(rows.length).toBeLessThanOrEqual(lines);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
    expect(cue.end - cue.start).toBeLessThanOrEqual(longest + 0.0015);
    expect(cue.start).toBeGreaterThanOrEqual(end);
    end = cue.end;
  }
}

const LONG =
  'When the committee met again in the afternoon, nobody could remember who had asked for the report, ' +
  'but everybody agreed that it should be read aloud before the vote and that the minutes should say so.';

describe('where cues end', () => {
  test('a long sentence becomes cues of two lines, broken at its commas', async () => {
    const cues = await srt(events(speak(LONG)));
    expectHabits(cues);
    expect(textOf(cues)).toBe(LONG);
    expect(cues.length).toBeGreaterThan(2);
    expect(cues.filter(({ text }) => /[,.]$/.test(text)).length).toBeGreaterThanOrEqual(2);
  });

  test('without punctuation at pauses', async () => {
    for (let pause = 5; pause <= 10; pause++) {
      const words = Array.from({ length: 16 }, (_, i) => `word${i}`);
      words.splice(pause, 0, '0.5');
      const cues = await srt(events(speak(words.join(' '))));
      const ends = cues.map(({ text }) => text.split(/\s/).at(-1));
      expect(ends).toContain(`word${pause - 1}`);
    }
  });

  test('without pauses before small words, never after them', async () => {
    const random = (seed: number) => () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const next = random(7);
    const long = ['yellow', 'bridges', 'walked', 'slowly', 'covered', 'stopped', 'leaves', 'twice'];
    const small = ['and', 'with', 'into', 'before', 'of', 'the'];
    const pick = (words: string[]) => words[Math.floor(next() * words.length)] as string;
    let [before, after, elsewhere] = [0, 0, 0];
    for (let run = 0; run < 30; run++) {
      const words = Array.from({ length: 40 }, () => pick(next() < 0.25 ? small : long));
      const rows = (await srt(events(speak(words.join(' '))))).flatMap(({ text }) => text.split('\n'));
      for (const [i, row] of rows.slice(1).entries()) {
        if (small.includes(rows[i]?.split(' ').at(-1) ?? '')) after++;
        else if (small.includes(row.split(' ')[0] ?? '')) before++;
        else elsewhere++;
      }
    }
    // Without the preference there are half as many before them as elsewhere.
    expect(before).toBeGreaterThan(0.9 * elsewhere);
    expect(after).toBeLessThan(0.05 * (before + elsewhere));
  });

  test('not after an abbreviation', async () => {
    const text =
      'I could not help watching your face with some anxiety when Mr. Thornton made his confession.';
    for (const { text: shown } of await srt(events(speak(text)))) expect(shown).not.toMatch(/Mr\.$/m);
  });

  test('a pause of more than three seconds ends a cue', async () => {
    const cues = await srt(events(speak('well 4 I think so.')));
    expect(cues.map(({ text }) => text)).toEqual(['well', 'I think so.']);
    expect(cues[1]?.start).toBeCloseTo(4.3);
  });

  test('words of a language without spaces, of double width', async () => {
    const token = (text: string, i: number): Token => ({
      id: i,
      text,
      start: i * 0.4,
      end: i * 0.4 + 0.4,
      duration: 0.4,
      confidence: 1,
    });
    const tokens = Array.from({ length: 20 }, (_, i) =>
      ['我们', '喜欢', '音乐', '和'].map((text, k) => token(text, 4 * i + k)),
    ).flat();
    tokens.push(token('。', tokens.length));
    const cues = await srt(events(tokens));
    expectHabits(cues, { columns: 21 });
    expect(cues.map(({ text }) => text.replace('\n', '')).join('')).toBe(
      tokens.map(({ text }) => text).join(''),
    );
  });

  test('a word that is wider than a line is broken', async () => {
    const word = `https://example.org/${'a'.repeat(100)}`;
    const cues = await srt(events(speak(`see ${word} there.`, { seconds: 2 })));
    expectHabits(cues);
    expect(
      cues
        .map(({ text }) => text)
        .join('')
        .replace(/\s/g, ''),
    ).toBe(`see${word}there.`);
  });

  test('any speech keeps the habits and all its words, sentences or not', async () => {
    const word = fc.tuple(
      fc.stringMatching(/^[a-z]{1,14}[,.]?$/),
      fc.double({ min: 0.05, max: 1.2, noNaN: true }),
      fc.constantFrom(0, 0, 0, 0.5, 4, 20),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 120 }),
        fc.boolean(),
        async (words, marked) => {
          let at = 0;
          const tokens = words.map(([text, duration, pause]): Token => {
            const start = at + pause;
            at = start + duration;
            return { id: 1, text: ` ${text}`, start, end: at, duration, confidence: 1 };
          });
          const cues = await srt(events(tokens), { highlightWords: marked });
          expectHabits(cues);
          const said = words.map(([text]) => text).join(' ');
          if (!marked) expect(textOf(cues)).toBe(said);
          else expect(cues.map(({ text }) => /<u>(.*)<\/u>/s.exec(text)?.[1] ?? '').join(' ')).toBe(said);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('how long cues stay', () => {
  test('at least a second, as long as nobody speaks', async () => {
    const [one, two] = await srt(events(speak('Yes. 5 Sure. 0.2 Why not?')));
    expect(one).toMatchObject({ start: 0, end: 1 });
    expect(two?.end).toBeCloseTo(5.8);
  });

  test('long enough to be read, where the speech leaves time', async () => {
    const fast = speak('Nevertheless comprehensive documentation unquestionably accelerates.', {
      seconds: 0.15,
    });
    const later = speak('Good.', { start: 9 });
    const [cue] = await srt([...events(fast), ...events(later)]);
    const { length } = (cue as ParsedCue).text;
    expect((cue as ParsedCue).end).toBeCloseTo(length / 20, 1);
    const [hurried] = await srt([...events(fast), ...events(speak('Good.', { start: 1 }))]);
    expect(hurried?.end).toBeCloseTo(1);
  });

  test('the options change it all', async () => {
    const options = {
      maxLineWidth: 20,
      maxLineCount: 3,
      minCueDuration: 0,
      maxCueDuration: 3,
      maxCharactersPerSecond: 100,
    };
    const cues = await srt(events(speak(LONG)), options);
    expectHabits(cues, { lines: 3, columns: 20, longest: 3 });
    expect(cues.some(({ text }) => text.split('\n').length === 3)).toBe(true);
    expect(textOf(cues).replace(/\n/g, ' ')).toBe(LONG);
  });
});

describe('when cues are written', () => {
  test('an hour without a sentence gives cues all along', async () => {
    const tokens = speak(Array.from({ length: 12_000 }, (_, i) => `word${i}`).join(' '));
    const writes: number[] = [];
    let last = 0;
    const target = new Writable({
      write(_chunk, _encoding, callback) {
        writes.push(last);
        callback();
      },
    });
    const stream = (function* () {
      for (const token of tokens) {
        last = token.end;
        yield { type: 'token', token } as const;
        yield { type: 'progress', time: token.end } as const;
      }
    })();
    await pipeline(Readable.from(stream, { highWaterMark: 1 }), srtWriter(target));
    const waits = writes.map((time, i) => time - (writes[i - 1] ?? 0));
    expect(Math.max(...waits)).toBeLessThan(30);
    expect(writes.length).toBeGreaterThan(3600 / 7);
  });

  test('words that nobody goes on with do not wait for the end of their sentence', async () => {
    const tokens = speak('and then');
    const writes = await written([...events(tokens).slice(0, -1), { type: 'progress', time: 30 }]);
    expect(parseSrt(writes.join(''))).toMatchObject([{ text: 'and then', start: 0, end: 1 }]);
  });

  test('an aborted stream leaves every word that was final, in a file', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'parakeet-cues-')), 'talk.srt');
    const controller = new AbortController();
    const sink = srtWriter(file, { signal: controller.signal });
    const closed = new Promise((resolve) => sink.once('close', resolve));
    const failed = new Promise<Error>((resolve) => sink.once('error', resolve));
    for (const event of events(speak('One is over. And two')))
      await new Promise((resolve) => sink.write(event, resolve));
    controller.abort();
    expect(await failed).toBeInstanceOf(AbortedError);
    await closed;
    expect(textOf(parseSrt(readFileSync(file, 'utf8')))).toBe('One is over. And two');
    rmSync(path.dirname(file), { recursive: true });
  });

  test('a sentence that was heard again replaces the words that are in no cue yet', async () => {
    const tokens = speak(`${LONG.slice(0, -1)} ${LONG}`);
    const sentence = sentenceOf(tokens.map((token) => ({ ...token, text: token.text.toUpperCase() })));
    const stream: TranscriptEvent[] = tokens.map((token) => ({ type: 'token', token }));
    const cues = await srt([...stream, sentenceEvent({ ...sentence, revised: true })]);
    expectHabits(cues);
    const text = textOf(cues);
    expect(text.toLowerCase()).toBe(`${LONG.slice(0, -1)} ${LONG}`.toLowerCase());
    expect(text).toMatch(/^When the .* SAY SO\.$/);
  });

  test('a sentence whose text a stage has changed is shown as it is', async () => {
    const sentence = { ...sentenceOf(speak('he gave the sign.')), text: 'HE GAVE THE SIGN!' };
    const other = {
      ...sentenceOf(speak('he gave the sign.', { start: 8 })),
      text: 'Sie gab das Zeichen, sagt er.',
      words: [],
    };
    expect((await srt([sentenceEvent(sentence), sentenceEvent(other)])).map(({ text }) => text)).toEqual([
      'HE GAVE THE SIGN!',
      'Sie gab das Zeichen, sagt er.',
    ]);
  });
});

describe('two speakers', () => {
  const anna = (text: string, start: number) => sentenceEvent(sentenceOf(speak(text, { start })), 'Anna');
  const ben = (text: string, start: number) => sentenceEvent(sentenceOf(speak(text, { start })), 'Ben');

  test('at one time share a cue, a line each', async () => {
    const stream = [anna('Did you see that?', 0), ben('I did not.', 0.6)];
    expect(await srt(stream)).toEqual([
      { start: 0, end: 1.5, text: 'Anna: Did you see that?\nBen: I did not.' },
    ]);
    const vtt = parseVtt((await written(stream, {}, vttWriter)).join(''));
    expect(vtt[0]?.text).toBe('<v Anna>Did you see that?</v>\n<v Ben>I did not.</v>');
  });

  test('who say too much for one cue share the time', async () => {
    const stream = [
      anna('Did you see the man who was standing there just now?', 0),
      ben('I did not see him but I heard somebody cough.', 0.5),
    ];
    const cues = await srt(stream);
    expectHabits(cues);
    expect(cues).toHaveLength(2);
    expect(cues[0]?.end).toBe(cues[1]?.start);
    expect((cues[0] as ParsedCue).end).toBeGreaterThan(1);
  });

  test('never overlap, and lose nothing, whenever they speak', async () => {
    const turn = fc.record({
      speaker: fc.constantFrom('Anna', 'Ben', 'Cy'),
      start: fc.double({ min: 0, max: 30, noNaN: true }),
      words: fc.integer({ min: 1, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(turn, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        async (turns, marked) => {
          const ordered = turns.sort((a, b) => a.start - b.start);
          const stream = ordered.map(({ speaker, start, words }, i) => {
            const text = Array.from({ length: words }, (_, k) => `${speaker}${i}x${k}`).join(' ');
            return sentenceEvent(sentenceOf(speak(text, { start })), speaker);
          });
          const cues = await srt(stream, { highlightWords: marked });
          expectHabits(cues);
          const text = cues.map((cue) => cue.text).join('\n');
          const all = ordered.flatMap(({ speaker, words }, i) =>
            Array.from({ length: words }, (_, k) => `${speaker}${i}x${k}`),
          );
          for (const word of all) expect(text).toMatch(new RegExp(`\\b${word}\\b`));
        },
      ),
      { numRuns: 100 },
    );
  });
});

test('marked words stay in proportion: an hour without a sentence is no longer than its cues', async () => {
  const tokens = speak(Array.from({ length: 4000 }, (_, i) => `word${i}`).join(' '));
  const plain = (await written(events(tokens))).join('');
  const marked = (await written(events(tokens), { highlightWords: true })).join('');
  expect(marked.length).toBeLessThan(20 * plain.length);
});

test('one cue a sentence, by the option', async () => {
  const cues = await srt(events(speak(LONG)), { cuePerSentence: true });
  expect(cues).toEqual([{ start: 0, end: expect.closeTo(speak(LONG).at(-1)?.end ?? 0, 3), text: LONG }]);
});

test.each([
  [{ maxLineWidth: 9 }, /maxLineWidth/],
  [{ maxLineCount: 0 }, /maxLineCount/],
  [{ minCueDuration: -1 }, /minCueDuration/],
  [{ minCueDuration: 3, maxCueDuration: 2 }, /maxCueDuration/],
  [{ maxCharactersPerSecond: 0 }, /maxCharactersPerSecond/],
  [{ cuePerSentence: true, maxLineWidth: 30 }, /beside cuePerSentence/],
  [{ cuePerSentence: 1 as unknown as boolean }, /cuePerSentence/],
])('%j is refused', (options, message) => {
  for (const make of [srtWriter, vttWriter]) {
    expect(() => make('x', options)).toThrow(ArgumentError);
    expect(() => make('x', options)).toThrow(message);
  }
});
