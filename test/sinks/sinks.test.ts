// What all sinks share: their output against parakeet-mlx's, targets, closing, failures, and a usable file at every moment.
import { spawn } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { AbortedError, ArgumentError, ParakeetError } from '../../src/errors.js';
import type { Token, TranscriptEvent } from '../../src/events.js';
import { jsonWriter } from '../../src/sinks/json-writer.js';
import { jsonlWriter } from '../../src/sinks/jsonl-writer.js';
import { srtWriter } from '../../src/sinks/srt-writer.js';
import { txtWriter } from '../../src/sinks/txt-writer.js';
import { vttWriter } from '../../src/sinks/vtt-writer.js';
import { splitSentences } from '../../src/text/sentence-splitter.js';
import { EVENTS, parseSrt, parseVtt, SENTENCE_EVENTS } from '../support/transcript.js';

const folder = mkdtempSync(join(tmpdir(), 'parakeet-sinks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `file-${files++}`);
const read = (path: string): string => readFileSync(path, 'utf8');
const reference = (name: string): string =>
  read(fileURLToPath(new URL(`./reference/${name}`, import.meta.url)));

/** A Writable that keeps each write by itself. */
function recorder(): { writes: string[]; stream: Writable } {
  const writes: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      writes.push(chunk.toString());
      callback();
    },
  });
  return { writes, stream };
}

const SINKS = { srtWriter, vttWriter, txtWriter, jsonWriter, jsonlWriter };
const each = Object.entries(SINKS);

describe('what they write', () => {
  test.each([
    ['plain.srt', (path: string) => srtWriter(path, { cuePerSentence: true })],
    ['plain.vtt', (path: string) => vttWriter(path, { cuePerSentence: true })],
  ])('%s, byte for byte as parakeet-mlx', async (name, sink) => {
    const path = newPath();
    await pipeline(Readable.from(EVENTS), sink(path));
    expect(read(path)).toBe(reference(name));
  });

  test.each([
    ['highlight.srt', srtWriter, parseSrt, 'u'],
    ['highlight.vtt', vttWriter, parseVtt, 'b'],
  ] as const)('%s as parakeet-mlx, but words instead of tokens', async (name, sink, parse, tag) => {
    const path = newPath();
    await pipeline(Readable.from(EVENTS), sink(path, { highlightWords: true, cuePerSentence: true }));
    const cues = parse(read(path));
    const mark = (word: string) => `<${tag}>${word}</${tag}>`;
    expect(cues.map((cue) => cue.text)).toEqual([
      `${mark('Hello,')} world.`,
      `Hello, ${mark('world.')}`,
      `${mark('Is')} it?`,
      `Is ${mark('it?')}`,
    ]);
    // Of the reference's cues, those with which a word begins and ends. Its last one has no length, ours lasts.
    const spans = reference(name).match(/^\S+ --> \S+$/gm) ?? [];
    const words = [spans.slice(0, 2), spans.slice(2, 5), spans.slice(5, 6), spans.slice(6, 8)];
    const ends = words.map((of) => `${of[0]?.split(' ')[0]} --> ${of.at(-1)?.split(' ')[2]}`);
    expect(read(path).match(/^\S+ --> \S+$/gm)).toEqual(ends);
  });

  test('marked words of a language without spaces stand without them', async () => {
    const pieces = [' 我们', '喜欢', '音乐', '。'];
    const tokens = pieces.map(
      (text, i): Token => ({ id: i, text, start: i, end: i + 1, duration: 1, confidence: 1 }),
    );
    const [sentence] = splitSentences(tokens);
    const { writes, stream } = recorder();
    const events = [{ type: 'sentence', sentence }] as TranscriptEvent[];
    await pipeline(Readable.from(events), srtWriter(stream, { highlightWords: true }));
    const cues = parseSrt(writes.join(''));
    expect(cues).toEqual([
      { start: 0, end: 1, text: '<u>我们</u>喜欢音乐。' },
      { start: 1, end: 2, text: '我们<u>喜欢</u>音乐。' },
      { start: 2, end: 4, text: '我们喜欢<u>音乐。</u>' },
    ]);
  });

  test('JSON as parakeet-mlx, with trimmed sentences', async () => {
    const path = newPath();
    await pipeline(Readable.from(EVENTS), jsonWriter(path));
    const expected = JSON.parse(reference('plain.json')) as { sentences: { text: string }[] };
    for (const sentence of expected.sentences) sentence.text = sentence.text.trim();
    const last = expected.sentences[1] as unknown as { tokens: unknown[] };
    expect(JSON.parse(read(path))).toEqual(expected);
    expect(last.tokens).toHaveLength(3);
  });

  test('text, one sentence a line', async () => {
    const path = newPath();
    await pipeline(Readable.from(EVENTS), txtWriter(path));
    expect(read(path)).toBe('Hello, world.\nIs it?\n');
  });

  test('JSON lines, the types asked for', async () => {
    const { writes, stream } = recorder();
    await pipeline(Readable.from(EVENTS), jsonlWriter(stream, { types: ['token', 'sentence', 'end'] }));
    const lines = writes.map((line) => JSON.parse(line) as { type: string; text?: string });
    expect(lines.map((line) => line.type).join(' ')).toBe(
      'token token token token token sentence token token token sentence end',
    );
    expect(lines[0]).toEqual({
      type: 'token',
      text: ' Hello',
      start: 0.08,
      end: 0.24,
      duration: 0.16,
      confidence: 0.9,
    });
    expect(lines[5]?.text).toBe('Hello, world.');
  });

  test('WebVTT escapes markup, and a line break in a sentence ends no cue', async () => {
    const event = structuredClone(SENTENCE_EVENTS[0]) as Extract<TranscriptEvent, { type: 'sentence' }>;
    event.sentence.text = 'a <b> & c\n\n--> d';
    const vtt = recorder();
    const srt = recorder();
    await pipeline(Readable.from([event]), vttWriter(vtt.stream));
    await pipeline(Readable.from([event]), srtWriter(srt.stream));
    expect(parseVtt(vtt.writes.join(''))[0]?.text).toBe('a &lt;b&gt; &amp; c --&gt; d');
    expect(parseSrt(srt.writes.join(''))).toHaveLength(1);
  });

  test('who speaks, in a merged transcript', async () => {
    const [first] = SENTENCE_EVENTS as Extract<TranscriptEvent, { type: 'sentence' }>[];
    const events = [{ ...first, speaker: 'Ann <a>' }] as TranscriptEvent[];
    const written = async (sink: (target: Writable) => Writable) => {
      const { writes, stream } = recorder();
      await pipeline(Readable.from(events), sink(stream));
      return writes.join('');
    };
    expect(parseSrt(await written(srtWriter))[0]?.text).toBe('Ann <a>: Hello, world.');
    expect(parseVtt(await written(vttWriter))[0]?.text).toBe('<v Ann &lt;a&gt;>Hello, world.');
    const marked = await written((target) => vttWriter(target, { highlightWords: true }));
    expect(parseVtt(marked)[0]?.text).toBe('<v Ann &lt;a&gt;><b>Hello,</b> world.');
    expect(await written(txtWriter)).toBe('Ann <a>: Hello, world.\n');
    expect(JSON.parse(await written(jsonWriter)).sentences[0].speaker).toBe('Ann <a>');
    expect(JSON.parse(await written(jsonlWriter)).speaker).toBe('Ann <a>');
  });

  test.each([[['sentense']], ['sentence'], [[1]]])('JSON lines of %j are refused', (types) => {
    expect(() => jsonlWriter(newPath(), { types: types as never })).toThrow(ArgumentError);
  });

  test('JSON lines go on behind a line that was cut off, without it', async () => {
    const path = newPath();
    await pipeline(Readable.from(EVENTS), jsonlWriter(path));
    const whole = read(path);
    writeFileSync(path, `${whole}{"type":"sentence","text":"Cut o`);
    await pipeline(Readable.from(EVENTS), jsonlWriter(path, { append: true }));
    expect(read(path)).toBe(whole + whole);
  });

  test('a JSON document that is no transcript is not continued', async () => {
    const path = newPath();
    writeFileSync(path, '{"a":1}');
    const error = await pipeline(Readable.from(EVENTS), jsonWriter(path, { append: true })).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
    expect(read(path)).toBe('{"a":1}');
  });

  test('JSON lines say why an input left', async () => {
    const left: TranscriptEvent = { type: 'left', speaker: 'Ann', error: new Error('gone') };
    const { writes, stream } = recorder();
    await pipeline(Readable.from([left]), jsonlWriter(stream, { types: ['left'] }));
    expect(JSON.parse(writes.join(''))).toEqual({ type: 'left', speaker: 'Ann', error: { message: 'gone' } });
  });
});

describe.each(each)('%s', (name, sink) => {
  const valid = (text: string): void => {
    if (name === 'srtWriter') parseSrt(text);
    if (name === 'vttWriter') parseVtt(text);
    if (name === 'jsonWriter') JSON.parse(text);
    if (name === 'jsonlWriter')
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as object);
  };

  test('is valid after each write, and each sentence is at most one', async () => {
    const { writes, stream } = recorder();
    await pipeline(Readable.from(EVENTS), sink(stream));
    for (let i = 1; i <= writes.length; i++) valid(writes.slice(0, i).join(''));
    expect(writes.length).toBeLessThanOrEqual(SENTENCE_EVENTS.length + 1);
    expect(writes.join('')).toContain('Hello, world.');
  });

  test('writes the same to a path, a file: URL, a descriptor and a Writable, and leaves the descriptor open', async () => {
    const { writes, stream } = recorder();
    await pipeline(Readable.from(EVENTS), sink(stream));
    expect(stream.writableFinished).toBe(true);
    const paths = [newPath(), newPath(), newPath()] as const;
    await pipeline(Readable.from(EVENTS), sink(paths[0]));
    await pipeline(Readable.from(EVENTS), sink(new URL(`file://${paths[1]}`)));
    const fd = openSync(paths[2], 'w');
    await pipeline(Readable.from(EVENTS), sink(fd));
    closeSync(fd);
    for (const path of paths) expect(read(path)).toBe(writes.join(''));
  });

  test('closes without an end event, and an empty transcript is a valid file', async () => {
    const path = newPath();
    await pipeline(Readable.from([]), sink(path));
    valid(read(path));
    await pipeline(Readable.from(SENTENCE_EVENTS), sink(path));
    expect(read(path)).toContain('Is it?');
  });

  test('ignores events of types that it does not know', async () => {
    const path = newPath();
    await pipeline(Readable.from([{ type: 'speechStart', time: 1 }, ...EVENTS]), sink(path));
    expect(read(path)).toContain('Hello, world.');
  });

  test('refuses what is no event', async () => {
    const error = await pipeline(Readable.from([Buffer.from('audio')]), sink(newPath())).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(ArgumentError);
  });

  test.each([undefined, '', -1, 1.5, {}, new URL('http://localhost/a')])(
    'refuses %o as a target',
    (target) => {
      expect(() => sink(target as string)).toThrow(ArgumentError);
    },
  );

  test.each([
    { highlightWord: true },
    { signal: {} },
    { offset: -1 },
    { offset: '1' },
    { append: 'yes' },
    null,
    [],
  ])('refuses %j as options, before it touches the file', async (options) => {
    const path = newPath();
    writeFileSync(path, 'kept');
    expect(() => sink(path, options as never)).toThrow(ArgumentError);
    await new Promise((resolve) => setImmediate(resolve));
    expect(read(path)).toBe('kept');
  });

  test('says when its target is open, or why it cannot be', async () => {
    const good = sink(newPath());
    await good.ready();
    await good.ready();
    good.destroy();
    for (const path of [join(folder, 'missing', 'file'), folder]) {
      const bad = sink(path);
      bad.on('error', () => {});
      await expect(bad.ready()).rejects.toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
      await expect(bad.ready()).rejects.toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
    }
  });

  test('goes on behind what is there, with its times', async () => {
    const path = newPath();
    await pipeline(Readable.from(EVENTS), sink(path));
    const once = read(path);
    const more = sink(path, { append: true, offset: 4000 });
    await more.ready();
    expect(more.continuesAt).toBeCloseTo(
      name === 'txtWriter' ? 0 : name.startsWith('json') ? 3601.84 : 3602.2,
      2,
    );
    await pipeline(Readable.from(EVENTS), more);
    valid(read(path));
    if (name !== 'jsonWriter') expect(read(path).startsWith(once)).toBe(true);
    expect(read(path).match(/Hello, world\./g)?.length).toBe(name === 'jsonWriter' ? 4 : 2);
    if (name === 'srtWriter')
      expect(parseSrt(read(path))[3]).toMatchObject({ start: 7601.2, text: 'Is it?' });
    if (name === 'vttWriter') expect(parseVtt(read(path))[2]?.start).toBeCloseTo(4000.08);
    if (name.startsWith('json')) expect(read(path)).toContain('4000.08');
    const fresh = newPath();
    await pipeline(Readable.from(EVENTS), sink(fresh, { append: true }));
    expect(read(fresh)).toBe(once);
  });

  test('does not go on behind a descriptor or a Writable', () => {
    expect(() => sink(1, { append: true })).toThrow(ArgumentError);
    expect(() => sink(recorder().stream, { append: true })).toThrow(/a path beside append/);
  });

  test.skipIf(name === 'jsonWriter')('notices that its file was removed, replaced or truncated', async () => {
    const harms: ((path: string) => void)[] = [
      (path) => rmSync(path),
      (path) => truncateSync(path, 3),
      (path) => {
        writeFileSync(`${path}.new`, 'another');
        renameSync(`${path}.new`, path);
      },
    ];
    for (const harm of harms)
      for (const more of [true, false]) {
        const path = newPath();
        const writer = sink(path);
        const failed = new Promise((resolve) => writer.once('error', resolve));
        for (const event of EVENTS) await new Promise((resolve) => writer.write(event, resolve));
        harm(path);
        if (more) for (const event of EVENTS) writer.write(event);
        writer.end();
        expect(await failed).toMatchObject({
          code: 'ERR_PARAKEET_WRITE',
          message: expect.stringMatching(/removed or replaced|truncated/),
        });
      }
  });

  test.skipIf(process.platform !== 'linux' || name === 'jsonWriter')(
    'a record is whole or not there when there is no room for it',
    async () => {
      const path = newPath();
      const script = fileURLToPath(new URL('../support/endless-writer.mjs', import.meta.url));
      const format = name.replace('Writer', '');
      // A limit of a file's size, in 512 or 1024 bytes, is as good as a full disk.
      const command = `ulimit -f 3; exec "${process.execPath}" "${script}" ${format} "${path}"`;
      const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
      const [stderr] = await Promise.all([
        readAll(child.stderr),
        new Promise((resolve) => child.once('close', resolve)),
      ]);
      expect(stderr).toMatch(/ERR_PARAKEET_WRITE/);
      expect(read(path).length).toBeGreaterThan(1000);
      expect(read(path).endsWith('\n')).toBe(true);
      valid(read(path));
    },
  );

  test('a missing folder is a typed error that says what to do', async () => {
    const path = join(folder, 'missing', 'file');
    const error = await pipeline(Readable.from(EVENTS), sink(path)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ParakeetError);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE', cause: { code: 'ENOENT' } });
    expect(String(error)).toContain('Create the folder first');
  });

  test('a folder as the target is a typed error', async () => {
    const error = await pipeline(Readable.from(EVENTS), sink(folder)).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE', cause: { code: 'EISDIR' } });
  });

  test.skipIf(process.platform !== 'linux')('a full device is a typed error', async () => {
    const error = await pipeline(Readable.from(EVENTS), sink('/dev/full')).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE', cause: { code: 'ENOSPC' } });
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  test('a Writable that fails, or closes early, is a typed error', async () => {
    const cause = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const failing = new Writable({ write: (_chunk, _encoding, callback) => callback(cause) });
    const error = await pipeline(Readable.from(EVENTS), sink(failing)).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'ERR_PARAKEET_WRITE', cause });

    const closing = new PassThrough();
    const writer = sink(closing);
    const closed = new Promise((resolve) => writer.once('error', resolve));
    closing.destroy();
    expect(await closed).toMatchObject({ code: 'ERR_PARAKEET_WRITE' });
  });

  test('waits for a slow Writable', async () => {
    let waiting: (() => void) | undefined;
    const slow = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, callback) {
        waiting = callback;
      },
    });
    const writer = sink(slow);
    const accepted = SENTENCE_EVENTS.concat(SENTENCE_EVENTS, SENTENCE_EVENTS).map((event) =>
      writer.write(event),
    );
    expect(accepted.at(-1)).toBe(false);
    writer.end();
    while (!writer.writableFinished) {
      await new Promise((resolve) => setImmediate(resolve));
      waiting?.();
      waiting = undefined;
    }
    expect(slow.writableFinished).toBe(true);
  });

  test('an abort ends it with an AbortError and closes the Writable', async () => {
    const { stream } = recorder();
    const controller = new AbortController();
    const writer = sink(stream, { signal: controller.signal });
    const failed = new Promise<Error>((resolve) => writer.once('error', resolve));
    stream.on('error', () => {});
    writer.write(SENTENCE_EVENTS[0]);
    controller.abort('enough');
    const error = await failed;
    expect(error).toBeInstanceOf(AbortedError);
    expect(error).toMatchObject({ name: 'AbortError', code: 'ERR_PARAKEET_ABORTED', cause: 'enough' });
    expect(stream.destroyed).toBe(true);
  });
});

describe('jsonWriter', () => {
  test('replaces a file whole, keeps a link to it, and leaves nothing beside it', async () => {
    const own = mkdtempSync(join(folder, 'json-'));
    const path = join(own, 'a.json');
    const link = join(own, 'link.json');
    writeFileSync(path, 'old');
    symlinkSync(path, link);
    const writer = jsonWriter(link);
    await new Promise((resolve) => writer.write(SENTENCE_EVENTS[0], resolve));
    const early = JSON.parse(read(path)) as { text: string };
    expect(early.text).toBe('Hello, world.');
    const closed = new Promise((resolve) => writer.once('close', resolve));
    writer.end(SENTENCE_EVENTS[1]);
    await closed;
    expect((JSON.parse(read(path)) as { text: string }).text).toBe('Hello, world. Is it?');
    expect(readFileSync(link, 'utf8')).toBe(read(path));
    expect(readdirSync(own).sort()).toEqual(['a.json', 'link.json']);
  });

  test('keeps the old file until there is something new', async () => {
    const path = newPath();
    writeFileSync(path, 'old');
    const writer = jsonWriter(path);
    await new Promise((resolve) => writer.write({ type: 'progress', time: 1 }, resolve));
    writer.destroy();
    await new Promise((resolve) => writer.once('close', resolve));
    expect(read(path)).toBe('old');
  });

  test('an aborted stream leaves every sentence that it had', async () => {
    const path = newPath();
    const writer = jsonWriter(path);
    for (const event of SENTENCE_EVENTS) await new Promise((resolve) => writer.write(event, resolve));
    writer.destroy();
    await new Promise((resolve) => writer.once('close', resolve));
    expect((JSON.parse(read(path)) as { sentences: unknown[] }).sentences).toHaveLength(2);
  });
});

describe('a process killed in the middle', () => {
  test.each([
    ['srt', parseSrt],
    ['vtt', parseVtt],
    [
      'jsonl',
      (text: string) =>
        text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as object),
    ],
    ['json', (text: string) => (JSON.parse(text) as { sentences: object[] }).sentences],
  ] as const)('leaves a valid %s file with what it had', async (format, parse) => {
    const path = newPath();
    const script = fileURLToPath(new URL('../support/endless-writer.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, format, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    await new Promise((resolve) => setTimeout(resolve, 40));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    expect(parse(read(path)).length).toBeGreaterThan(0);
  });
});
