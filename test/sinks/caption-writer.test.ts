/**
 * Live captions: what stands on a (virtual) terminal after events, resizes and long talks, and the plain lines elsewhere.
 */
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Sentence, Token, TranscriptEvent } from '../../src/events.js';
import { type CaptionOptions, captionWriter } from '../../src/sinks/caption-writer.js';
import { widthOf, wrap } from '../../src/sinks/wrap.js';
import { EVENTS, SENTENCE_EVENTS, TOKENS } from '../support/transcript.js';
import { VirtualTerminal } from '../support/virtual-terminal.js';

const dim = (text: string): string =>
  Array.from(text, (character) => (character === ' ' ? ' ' : `~${character}`)).join('');
const token = (text: string, start = 0): Token => ({
  id: 1,
  text,
  start,
  end: start,
  duration: 0,
  confidence: 1,
});
const by = (speaker: string | undefined) => (speaker === undefined ? {} : { speaker });
const draft = (text: string, speaker?: string): TranscriptEvent => ({
  type: 'draft',
  tokens: text === '' ? [] : text.split(/(?= )/).map((part) => token(part)),
  text: text.trim(),
  revision: 1,
  ...by(speaker),
});
const final = (text: string, speaker?: string, start = 0): TranscriptEvent => ({
  type: 'token',
  token: token(text, start),
  ...by(speaker),
});
const sentence = (text: string, speaker?: string, start = 0): TranscriptEvent => ({
  type: 'sentence',
  sentence: {
    text: text.trim(),
    start,
    end: start + 1,
    duration: 1,
    confidence: 1,
    tokens: [token(text, start)],
    words: [],
  } satisfies Sentence,
  ...by(speaker),
});

/** A caption writer on a terminal, and events into it one picture at a time. */
function captions(columns: number, rows?: number, options?: CaptionOptions) {
  const terminal = new VirtualTerminal(columns, rows);
  const writer = captionWriter(terminal, options);
  return { terminal, writer, show: (...events: TranscriptEvent[]) => show(terminal, writer, events) };
}

async function show(terminal: VirtualTerminal, writer: Writable, events: TranscriptEvent[]) {
  for (const event of events) await new Promise((resolve) => writer.write(event, resolve));
  return await picture(terminal);
}

async function picture(terminal: VirtualTerminal): Promise<string[]> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => terminal.write('', resolve));
  terminal.writes.pop();
  return terminal.screen;
}

const numbered = (count: number): string => Array.from({ length: count }, (_, i) => ` word${i}`).join('');

describe('captionWriter on a terminal', () => {
  test('dims the draft behind what is final, and redraws in place', async () => {
    const { show } = captions(40);
    expect(await show(draft(' Hell of'))).toEqual([dim('Hell of')]);
    expect(await show(final(' Hello'))).toEqual(['Hello']);
    expect(await show(draft(' b c'))).toEqual([`Hello${dim(' b c')}`]);
    expect(await show(final(' b'))).toEqual([`Hello b${dim(' c')}`]);
    expect(await show(draft(' d'))).toEqual([`Hello b${dim(' d')}`]);
    expect(await show(draft(''))).toEqual(['Hello b']);
  });

  test('a finished sentence stays above, and the cursor ends below all', async () => {
    const { show, terminal, writer } = captions(40);
    expect(await show(...EVENTS)).toEqual(['Hello, world.', 'Is it?']);
    await new Promise<void>((resolve) => writer.end(resolve));
    expect(terminal.cursor).toEqual([2, 0]);
  });

  test('what comes in one turn is one picture', async () => {
    const { show, terminal, writer } = captions(40);
    await show();
    for (const event of [final(' a'), final(' b'), final(' c'), draft(' d')]) writer.write(event);
    expect(await picture(terminal)).toEqual([`a b c${dim(' d')}`]);
    expect(terminal.writes).toHaveLength(1);
  });

  test('only rows that changed are written', async () => {
    const { show, terminal } = captions(21);
    await show(final(numbered(9)), draft(' one'));
    terminal.writes.length = 0;
    const shown = await show(draft(' two'));
    expect(shown).toEqual(['word0 word1 word2', 'word3 word4 word5', `word6 word7 word8`, dim('two')]);
    expect(terminal.writes.join('')).toContain('two');
    expect(terminal.writes.join('')).not.toContain('word');
    terminal.writes.length = 0;
    await show(draft(' two'));
    expect(terminal.writes).toEqual([]);
  });

  test('words stay whole', async () => {
    const { show } = captions(12);
    expect(await show(final(' one three fifteen'))).toEqual(['one three', 'fifteen']);
    expect(await show(draft(' incomprehensibilities'))).toEqual([
      'one three',
      'fifteen',
      dim('incomprehen'),
      dim('sibilities'),
    ]);
  });

  test('wide and combining characters take the columns that they take', async () => {
    const { show } = captions(11);
    const text = '日本語の文章は長いです';
    expect(await show(draft(text))).toEqual([dim('日本語の文'), dim('章は長いで'), dim('す')]);
    expect(await show(final(text))).toEqual(['日本語の文', '章は長いで', 'す']);
    const cafe = 'cafe\u0301 cafe\u0301 cafe\u0301';
    expect(await captions(11).show(final(cafe))).toEqual(['cafe\u0301 cafe\u0301', 'cafe\u0301']);
  });

  test('a caption of several rows is erased whole', async () => {
    const { show } = captions(20);
    await show(draft(numbered(20)), draft(`${numbered(20)} more`));
    expect(await show(SENTENCE_EVENTS[0] as TranscriptEvent, draft(''))).toEqual(['Hello, world.']);
    expect(await show(draft(' short'))).toEqual(['Hello, world.', dim('short')]);
  });

  test('a caption taller than the screen shows its end, and leaves nothing behind', async () => {
    const { show, terminal } = captions(20, 6);
    const shown = await show(draft(numbered(50)), draft(numbered(51)));
    expect(shown[0]).toBe('…');
    expect(shown.at(-1)?.replaceAll('~', '')).toMatch(/word50$/);
    await show(final(' ok'), draft(''));
    expect(terminal.everything).toEqual(['ok']);
  });

  test('after many sentences every one is in the scrollback once, in order', async () => {
    const { show, terminal } = captions(30, 5);
    const all = Array.from({ length: 30 }, (_, i) => ` Sentence ${i}.`);
    for (const text of all) await show(draft(text), final(text), sentence(text));
    expect(terminal.everything).toEqual(all.map((text) => text.trim()));
  });

  test.each([
    [40, 24],
    [13, 24],
    [9, 24],
    [80, 8],
    [13, 30],
  ])('a window of another size (%d × %d) has all its rows rewrapped', async (columns, rows) => {
    const { show, terminal } = captions(25, 20);
    await show(sentence(' The first sentence is a longer one.'), sentence(' Short.'));
    await show(final(' What is open now'), draft(' and what is not'));
    terminal.resize(columns, rows);
    const fresh = captions(columns, rows);
    await fresh.show(sentence(' The first sentence is a longer one.'), sentence(' Short.'));
    const expected = await fresh.show(final(' What is open now'), draft(' and what is not'));
    expect(await picture(terminal)).toEqual(expected);
    terminal.resize(25, 20);
    terminal.resize(17, 20);
    terminal.resize(25, 20);
    expect(await picture(terminal)).toEqual([
      'The first sentence is a',
      'longer one.',
      'Short.',
      `What is open now ${dim('and')}`,
      dim('what is not'),
    ]);
    expect(terminal.everything).toEqual(terminal.screen);
  });

  test('a resize while sentences have scrolled away loses none', async () => {
    const { show, terminal } = captions(30, 6);
    const all = Array.from({ length: 20 }, (_, i) => ` This is the sentence number ${i}.`);
    for (const text of all) await show(sentence(text));
    for (const columns of [50, 20, 34]) {
      terminal.resize(columns, 6);
      await picture(terminal);
    }
    const words = terminal.everything.join(' ');
    for (const text of all) expect(words).toContain(text.trim());
  });

  test('time stamps by choice, with rows of a sentence below each other', async () => {
    const { show } = captions(32, 24, { timestamps: true });
    expect(await show(sentence(' A sentence that needs more rows.', undefined, 3725))).toEqual([
      '[01:02:05] A sentence that',
      '           needs more rows.',
    ]);
    expect(await show(final(' Next', undefined, 61.9))).toContain('[00:01:01] Next');
  });

  test('each speaker has a label and rows of their own', async () => {
    const { show } = captions(30);
    expect(await show(draft(' Good morning', 'Anna'), final(' Hello', 'Ben'))).toEqual([
      `Anna: ${dim('Good morning')}`,
      'Ben: Hello',
    ]);
    expect(await show(sentence(' Hello', 'Ben'))).toEqual(['Ben: Hello', `Anna: ${dim('Good morning')}`]);
    expect(await show(draft('', 'Anna'))).toEqual(['Ben: Hello']);
  });

  test('a label that has no room stands in the text', async () => {
    const { show } = captions(12);
    expect(await show(draft(' hello you', 'Maximilian'))).toEqual([`Maximilian:`, dim('hello you')]);
  });

  test('nothing in a transcript steers the terminal', async () => {
    const { show } = captions(40);
    expect(await show(final(' a\u001b[2Jb\u0007\u202ec'), final(' d', 'E\u001b[1Ave'))).toEqual([
      'a[2Jbc',
      'E[1Ave: d',
    ]);
  });

  test('sentences wait for a slow terminal, drafts are painted over', async () => {
    const terminal = new VirtualTerminal(40);
    const held: (() => void)[] = [];
    terminal._write = (_text, _encoding, callback) => void held.push(callback);
    const writer = captionWriter(terminal);
    let written = 0;
    for (let i = 0; i < 8; i++) {
      writer.write(draft(` ${i}`), () => written++);
      await new Promise((resolve) => setImmediate(resolve));
    }
    writer.write(sentence(' S.'), () => written++);
    await vi.waitFor(() => expect(written).toBe(8));
    expect(held).toHaveLength(1);
    held.shift()?.();
    await vi.waitFor(() => expect(held).toHaveLength(1));
    expect(written).toBe(8);
    held.shift()?.();
    await vi.waitFor(() => expect(written).toBe(9));
    writer.destroy();
  });

  test('a terminal that breaks fails the sink', async () => {
    const terminal = new VirtualTerminal(40);
    terminal._write = (_text, _encoding, callback) => (callback as (error: Error) => void)(new Error('gone'));
    const writer = captionWriter(terminal);
    const failed = new Promise((resolve) => writer.once('error', resolve));
    writer.write(draft(' a'));
    expect(await failed).toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
  });
});

describe('captionWriter elsewhere', () => {
  async function lines(events: TranscriptEvent[], options?: CaptionOptions, tty = false): Promise<string> {
    let text = '';
    const plain = Object.assign(
      new Writable({
        decodeStrings: false,
        write(chunk: string, _encoding, callback) {
          text += chunk;
          callback();
        },
      }),
      { isTTY: tty },
    );
    await pipeline(Readable.from(events), captionWriter(plain, options));
    return text;
  }

  test('writes plain lines without drafts', async () => {
    expect(await lines(EVENTS)).toBe('Hello, world.\nIs it?\n');
  });

  test('with time stamps and speakers', async () => {
    expect(await lines([sentence(' Hi.', 'Anna', 61)], { timestamps: true })).toBe('[00:01:01] Anna: Hi.\n');
  });

  test('a dumb terminal gets plain lines too', async () => {
    vi.stubEnv('TERM', 'dumb');
    expect(await lines(EVENTS, {}, true)).toBe('Hello, world.\nIs it?\n');
    vi.unstubAllEnvs();
  });

  test('words that no sentence has taken are not lost', async () => {
    expect(await lines(TOKENS.map((one) => ({ type: 'token', token: one })))).toBe('Hello, world. Is it?\n');
  });

  test('an option that it does not know is refused', () => {
    expect(() => captionWriter(process.stdout, { timestamp: true } as CaptionOptions)).toThrow(/timestamps/);
  });
});

describe('wrap', () => {
  const texts = fc.array(fc.constantFrom('a', 'bc', ' ', ' ', '日', 'e\u0301', '👩‍👧', '-', 'word'), {
    maxLength: 40,
  });

  test.each([
    [
      'beside wide characters, which fill the row',
      'Hello, 世界世界世界。',
      16,
      ['Hello, 世界世界', '世界。'],
    ],
    ['in a word that is longer than a row', 'abcdefghijkl mn', 5, ['abcde', 'fghij', 'kl mn']],
    ['never within a character', 'e\u0301tude 👩‍👩‍👧👩‍👩‍👧', 9, ['e\u0301tude 👩‍👩‍👧', '👩‍👩‍👧']],
  ])('breaks %s', (_, text, columns, rows) => {
    expect(wrap(text, columns).map(({ start, end }) => text.slice(start, end))).toEqual(rows);
  });

  test('no row is too wide, and only spaces are lost', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 20 }), (parts, columns) => {
        const text = parts.join('');
        const rows = wrap(text, columns);
        for (const { start, end } of rows)
          expect(widthOf(text.slice(start, end))).toBeLessThanOrEqual(columns);
        let at = 0;
        for (const { start, end } of rows) {
          expect(text.slice(at, start).trim()).toBe('');
          expect(start).toBeGreaterThanOrEqual(at);
          at = end;
        }
        expect(at).toBe(text.length);
      }),
      { numRuns: 500 },
    );
  });
});
