import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { captionWriter } from '../../src/sinks/caption-writer.js';
import { EVENTS, SENTENCE_EVENTS, TOKENS } from '../support/transcript.js';

/** Understands just what a caption needs of a terminal: text that wraps, newlines, cursor up, clear below, dim. */
class Screen extends Writable {
  readonly isTTY = true;
  lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  #style = '';
  raw = '';

  constructor(
    readonly columns: number,
    readonly rows = 24,
  ) {
    super({ decodeStrings: false });
  }

  override _write(text: string, _encoding: BufferEncoding, callback: () => void): void {
    this.raw += text;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's commands
    for (const [part] of text.matchAll(/\u001b\[\d*[A-Za-z]|[\s\S]/gu)) this.#put(part);
    callback();
  }

  #put(part: string): void {
    const line = (): string[] => (this.lines[this.#row] ??= []);
    if (part === '\n') {
      this.#row += 1;
      this.#column = 0;
      line();
    } else if (part === '\r') this.#column = 0;
    else if (part === '\u001b[J') {
      line().length = this.#column;
      this.lines.length = this.#row + 1;
    } else if (part === '\u001b[2m') this.#style = '~';
    else if (part === '\u001b[22m') this.#style = '';
    else if (part.startsWith('\u001b')) this.#row -= Number(part.slice(2, -1));
    else {
      if (this.#column === this.columns) {
        this.#row += 1;
        this.#column = 0;
      }
      line()[this.#column] = this.#style + part;
      this.#column += 1;
    }
  }

  /** What stands there; dimmed characters have a tilde before them. */
  get shown(): string[] {
    return this.lines.map((line) => line.join(''));
  }
}

const dim = (text: string): string => Array.from(text, (character) => `~${character}`).join('');
const token = (text: string): Token => ({ id: 1, text, start: 0, end: 0, duration: 0, confidence: 1 });
const draft = (...texts: string[]): TranscriptEvent => ({
  type: 'draft',
  tokens: texts.map(token),
  text: texts.join('').trim(),
  revision: 1,
});
const final = (text: string): TranscriptEvent => ({ type: 'token', token: token(text) });

async function show(screen: Screen, events: TranscriptEvent[]): Promise<string[]> {
  const writer = captionWriter(screen);
  for (const event of events) await new Promise((resolve) => writer.write(event, resolve));
  return screen.shown;
}

describe('captionWriter on a terminal', () => {
  test('dims the draft behind what is final, and redraws in place', async () => {
    const screen = new Screen(40);
    expect(await show(screen, [draft(' Hell', ' of')])).toEqual([dim('Hell of')]);
    expect(await show(new Screen(40), [draft(' Hell', ' of'), final(' Hello')])).toEqual(['Hello']);
    expect(await show(new Screen(40), [draft(' a', ' b'), final(' a')])).toEqual([`a${dim(' b')}`]);
    expect(await show(new Screen(40), [final(' a'), draft(' b'), draft(' c')])).toEqual([`a${dim(' c')}`]);
  });

  test('a finished sentence stays above', async () => {
    expect(await show(new Screen(40), EVENTS)).toEqual(['Hello, world.', 'Is it?', '']);
  });

  test('a caption of several lines is erased whole', async () => {
    const long = Array.from({ length: 20 }, (_, i) => ` word${i}`);
    const events = [draft(...long), draft(...long, ' more'), draft(' short')];
    expect(await show(new Screen(20), events)).toEqual([dim('short')]);
    const sentence = SENTENCE_EVENTS[0] as TranscriptEvent;
    expect(await show(new Screen(20), [...events.slice(0, 2), sentence, draft()])).toEqual([
      'Hello, world.',
      '',
    ]);
  });

  test('a caption taller than the screen shows its end', async () => {
    const long = Array.from({ length: 50 }, (_, i) => ` word${i}`);
    const shown = await show(new Screen(20, 6), [draft(...long), draft(...long)]);
    expect(shown.length).toBeLessThanOrEqual(4);
    expect(shown.join('').replaceAll('~', '')).toMatch(/^….*word49$/);
  });

  test('control characters never reach the terminal', async () => {
    const screen = new Screen(40);
    await show(screen, [final(' a\u001b[2Jb\u0007')]);
    expect(screen.shown).toEqual(['a[2Jb']);
  });
});

describe('captionWriter elsewhere', () => {
  async function lines(events: TranscriptEvent[]): Promise<string> {
    let text = '';
    const plain = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, callback) {
        text += chunk;
        callback();
      },
    });
    await pipeline(Readable.from(events), captionWriter(plain));
    return text;
  }

  test('writes plain lines without drafts', async () => {
    expect(await lines(EVENTS)).toBe('Hello, world.\nIs it?\n');
  });

  test('words that no sentence has taken are not lost', async () => {
    expect(await lines(TOKENS.map((one) => ({ type: 'token', token: one })))).toBe('Hello, world. Is it?\n');
  });
});
