/**
 * Several speakers into one transcript: order, what waits for whom, late joiners, failures, and that the reader sets the pace.
 */
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AbortedError, ArgumentError } from '../src/errors.js';
import type { StreamStats, Token, TranscriptEvent } from '../src/events.js';
import { merge } from '../src/merge.js';
import { sentences } from '../src/transforms/sentences.js';

const token = (text: string, start: number): Token => ({
  id: 1,
  text,
  start,
  end: start + 0.2,
  duration: 0.2,
  confidence: 1,
});
const word = (text: string, start: number): TranscriptEvent => ({ type: 'token', token: token(text, start) });
const progress = (time: number): TranscriptEvent => ({ type: 'progress', time });
const draft = (text: string, start: number): TranscriptEvent => ({
  type: 'draft',
  tokens: [token(text, start)],
  text: text.trim(),
  revision: 1,
});
const stats = (audioSeconds: number, p50: number): StreamStats => ({
  audioSeconds,
  computeSeconds: audioSeconds / 10,
  realTimeFactor: 0.1,
  steps: 3,
  draftsDropped: 1,
  stepsGrown: 0,
  maxLag: p50 / 1000,
  latency: { p50, p95: p50 * 2, max: p50 * 3 },
});

/** An input that says what it is told, when it is told. */
function input() {
  const stream = new PassThrough({ objectMode: true, highWaterMark: 1000 });
  return { stream, say };
  function say(...events: TranscriptEvent[]) {
    for (const event of events) stream.write(event);
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A merged stream's events as they come, in short. */
function follow(merged: Readable) {
  const got: string[] = [];
  merged.on('data', (event: TranscriptEvent) => got.push(short(event)));
  return got;
}

function short(event: TranscriptEvent): string {
  switch (event.type) {
    case 'token':
      return `${event.speaker}:${event.token.text.trim()}`;
    case 'draft':
      return `${event.speaker}~${event.text}`;
    case 'sentence':
      return `${event.speaker}=${event.sentence.text}`;
    case 'progress':
      return `@${event.time}`;
    case 'left':
      return `${event.speaker} left${event.error ? ` (${event.error.message})` : ''}`;
    case 'end':
      return 'end';
    default:
      return `${event.type}`;
  }
}

/** Words (a final dot ends a sentence) with their starts, as `parakeet()` gives them. */
function speech(...words: [text: string, start: number][]): Readable {
  const last = words.at(-1)?.[1] ?? 0;
  const events = words.flatMap(([text, start]) => [word(` ${text}`, start), progress(start + 0.3)]);
  const end: TranscriptEvent = { type: 'end', stats: stats(last + 1, 10) };
  return Readable.from([...events, progress(last + 1), end]).pipe(sentences());
}

describe('the order', () => {
  test('is that of time, whatever comes first', async () => {
    const merged = merge({
      Anna: speech(['How', 1], ['are', 2], ['you?', 3], ['Good.', 9]),
      Ben: speech(['Fine.', 4], ['Yes.', 4.5]),
      Cleo: speech(['Hm.', 2.5]),
    });
    const events = await merged.toArray();
    const starts = events.flatMap((event) => (event.type === 'token' ? [event.token.start] : []));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts).toHaveLength(7);
    expect(events.flatMap((event) => (event.type === 'sentence' ? [short(event)] : []))).toEqual([
      'Anna=How are you?',
      'Cleo=Hm.',
      'Ben=Fine.',
      'Ben=Yes.',
      'Anna=Good.',
    ]);
    expect(events.at(-1)).toMatchObject({
      type: 'end',
      stats: { audioSeconds: 10 + 5.5 + 3.5, steps: 9, latency: { p50: 10, max: 30 } },
    });
  });

  test('a final waits until the slowest has passed it', async () => {
    const [a, b] = [input(), input()];
    const got = follow(merge({ A: a.stream, B: b.stream }));
    a.say(word(' one', 1), progress(2), word(' two', 2.5), progress(3));
    await settle();
    expect(got).toEqual([]);
    b.say(progress(2));
    await settle();
    expect(got).toEqual(['A:one', '@2']);
    // B is silent: only its progress lets A's words through.
    b.say(progress(4));
    await settle();
    expect(got.slice(2)).toEqual(['A:two', '@3']);
  });

  test('a sentence that is still open may begin before a complete one, and holds it back', async () => {
    const [a, b] = [input(), input()];
    const got = follow(merge({ A: a.stream.pipe(sentences()), B: b.stream.pipe(sentences()) }));
    a.say(word(' Long', 1), progress(2));
    b.say(word(' Short!', 1.5), progress(6));
    a.say(word(' talk', 4), progress(5));
    await settle();
    expect(got).toContain('B:Short!');
    expect(got).not.toContain('B=Short!');
    a.say(word(' ends!', 5.5), progress(7));
    b.say(progress(7));
    await settle();
    expect(got.filter((one) => one.includes('='))).toEqual(['A=Long talk ends!', 'B=Short!']);
  });

  test('but not for longer than maxHold', async () => {
    const [a, b] = [input(), input()];
    const options = { maxHold: 3 };
    const got = follow(merge({ A: a.stream.pipe(sentences()), B: b.stream.pipe(sentences()) }, options));
    a.say(word(' Um', 1), progress(4));
    b.say(word(' Short!', 1.5), progress(9));
    await settle();
    expect(got).not.toContain('B=Short!');
    a.say(progress(5));
    await settle();
    expect(got).toContain('B=Short!');
  });

  test('drafts come at once, with the finals that still wait', async () => {
    const [a, b] = [input(), input()];
    const got = follow(merge({ A: a.stream, B: b.stream }));
    a.say(word(' one', 1), progress(2), draft(' two', 2));
    await settle();
    expect(got).toEqual(['A~one two']);
    b.say(progress(2));
    a.say(draft(' three', 2));
    await settle();
    expect(got.slice(1)).toEqual(['A:one', '@2', 'A~three']);
  });

  test('for any speech and any speed', async () => {
    const line = fc.array(
      fc.record({ gap: fc.integer({ min: 1, max: 30 }), dot: fc.boolean(), push: fc.boolean() }),
      { maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(3)),
        async (lines, turns) => {
          const streams = lines.map((words) => {
            let at = 0;
            const events = words.flatMap(({ gap, dot, push }, i) => {
              at += gap / 10;
              return [word(` w${i}${dot ? '.' : ''}`, at), ...(push ? [progress(at + 0.1)] : [])];
            });
            const source = Readable.from(
              (async function* () {
                for (const event of events) {
                  for (let i = turns.next().value ?? 0; i > 0; i--) await new Promise(setImmediate);
                  yield event;
                }
              })(),
            );
            return { events, stream: source.pipe(sentences()) };
          });
          const merged = merge(Object.fromEntries(streams.map(({ stream }, i) => [`S${i}`, stream])));
          const events = await merged.toArray();
          const tokens = events.filter((event) => event.type === 'token');
          expect(tokens).toHaveLength(
            streams.flatMap(({ events }) => events.filter((one) => one.type === 'token')).length,
          );
          let passed = 0;
          let lastStart = 0;
          for (const event of events) {
            if (event.type === 'progress') passed = event.time;
            if (event.type !== 'token') continue;
            expect(event.token.start).toBeGreaterThanOrEqual(Math.max(passed, lastStart));
            lastStart = event.token.start;
          }
          for (const [i] of streams.entries()) {
            const own = (type: string) =>
              events.filter(
                (event) => event.type === type && 'speaker' in event && event.speaker === `S${i}`,
              );
            const said = own('token')
              .map((event) => (event.type === 'token' ? event.token.text : ''))
              .join('');
            const whole = own('sentence').map((event) =>
              event.type === 'sentence' ? ` ${event.sentence.text}` : '',
            );
            expect(whole.join('')).toBe(said);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('joining and leaving', () => {
  test('a late joiner is placed by its offset, and waited for from then on', async () => {
    const [a, b] = [input(), input()];
    const merged = merge();
    const got = follow(merged);
    merged.add('A', a.stream);
    a.say(progress(0.5), word(' one', 1), progress(5));
    await settle();
    expect(got.splice(0, 1)).toEqual(['@0.5']);
    expect(got).toEqual(['A:one', '@5']);
    merged.add('B', b.stream, { offset: 6 });
    a.say(word(' two', 5.5), progress(6), word(' four', 7), progress(8));
    await settle();
    expect(got.slice(2)).toEqual(['A:two', '@6']);
    b.say(word(' three', 0.5), progress(3));
    await settle();
    expect(got.slice(4)).toEqual(['@6.5', 'B:three', 'A:four', '@8']);
    expect(merged.speakers).toEqual(['A', 'B']);
    merged.end();
    b.stream.end();
    a.stream.end();
    await settle();
    expect(got.slice(8)).toEqual(['B left', 'A left', 'end']);
  });

  test('who leaves is waited for no longer, and may come again', async () => {
    const [a, b, again] = [input(), input(), input()];
    const merged = merge();
    merged.add('A', a.stream).add('B', b.stream);
    const got = follow(merged);
    a.say(word(' one', 1), progress(5));
    b.say(draft(' never', 1));
    await settle();
    expect(got).toEqual(['B~never']);
    b.stream.end();
    await settle();
    expect(got.slice(1)).toEqual(['A:one', '@5', 'B~', 'B left']);
    merged.add('B', again.stream, { offset: 5 }).end();
    a.stream.end();
    again.stream.end();
    await settle();
    expect(merged.readableEnded).toBe(true);
  });

  test('times of everything are shifted', async () => {
    const merged = merge();
    merged.add('A', speech(['Hi.', 1]), { offset: 10 });
    merged.add('B', Readable.from([{ type: 'gap', start: 1, end: 2 }] as unknown as TranscriptEvent[]), {
      offset: 3,
    });
    const events = await merged.end().toArray();
    expect(events.find((event) => event.type === 'sentence')).toMatchObject({
      sentence: { start: 11, end: 11.2, tokens: [{ start: 11, end: 11.2 }], words: [{ start: 11 }] },
    });
    expect(events).toContainEqual({ type: 'gap', speaker: 'B', start: 4, end: 5 });
  });

  test('without an input it ends at once, and stays open before end()', async () => {
    expect((await merge({}).toArray()).map(short)).toEqual(['end']);
    const open = merge();
    const got = follow(open);
    await settle();
    expect(got).toEqual([]);
    open.end();
    await settle();
    expect(got).toEqual(['end']);
  });
});

describe('failures', () => {
  const broken = (...events: TranscriptEvent[]) =>
    Readable.from(
      (async function* () {
        yield* events;
        throw new Error('decrypt');
      })(),
    );

  test('one input that fails does not end the others; the error comes when all is read', async () => {
    const written: string[] = [];
    const slow = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(event: TranscriptEvent, _encoding, done) {
        written.push(short(event));
        setTimeout(done, 1);
      },
    });
    const merged = merge({ A: broken(word(' one', 1)), B: speech(['Still', 2], ['here.', 8]) });
    await expect(pipeline(merged, slow)).rejects.toThrow('decrypt');
    expect(written).toContain('A:one');
    expect(written).toContain('A left (decrypt)');
    expect(written).toContain('B=Still here.');
    expect(written.at(-1)).toBe('end');
  });

  test('who iterates gets every event, then the error', async () => {
    const got: string[] = [];
    const reading = (async () => {
      for await (const event of merge({ A: broken(word(' one', 1)) })) got.push(short(event));
    })();
    await expect(reading).rejects.toThrow('decrypt');
    expect(got.slice(1)).toEqual(['A:one', 'A left (decrypt)', 'end']);
  });

  test("inputErrors: 'report' leaves it at the event", async () => {
    const merged = merge({ A: broken(word(' one', 1)), B: speech(['Hi.', 2]) }, { inputErrors: 'report' });
    expect((await merged.toArray()).map(short)).toContain('A left (decrypt)');
  });

  test('an abort stops it and its inputs', async () => {
    const controller = new AbortController();
    const a = input();
    const merged = merge({ A: a.stream }, { signal: controller.signal });
    const failed = new Promise((resolve) => merged.once('error', resolve));
    a.stream.on('error', () => {});
    controller.abort();
    expect(await failed).toBeInstanceOf(AbortedError);
    expect(a.stream.destroyed).toBe(true);
  });

  test('arguments that make no sense are refused', () => {
    expect(() => merge({ A: [] as unknown as Readable })).toThrow(ArgumentError);
    expect(() => merge(null, { maxHold: -1 })).toThrow(/maxHold/);
    const merged = merge().add('A', input().stream);
    expect(() => merged.add('A', input().stream)).toThrow(/one input for each speaker/);
    expect(() => merged.add('B', input().stream, { offset: Number.NaN })).toThrow(/offset/);
    expect(() => merged.end().add('B', input().stream)).toThrow(/after end/);
    merged.destroy();
  });
});

test('a revised sentence with fewer tokens than came closes them all, and holds up nobody', async () => {
  const a = input();
  const b = input();
  const merged = merge({ A: a.stream, B: b.stream }, { maxHold: 1000 });
  const got = follow(merged);
  const sentence = (text: string, tokens: Token[], revised: boolean): TranscriptEvent => ({
    type: 'sentence',
    sentence: {
      ...(revised && { revised: true as const }),
      text,
      start: tokens[0]?.start ?? 0,
      end: tokens.at(-1)?.end ?? 0,
      duration: 1,
      confidence: 1,
      tokens,
      words: [],
    },
  });
  a.say(
    word(' on', 1),
    word('e', 1.2),
    word('.', 1.4),
    sentence('one.', [token(' one.', 1)], true),
    progress(10),
  );
  b.say(word(' two.', 3), sentence('two.', [token(' two.', 3)], false), progress(10));
  await settle();
  expect(got.filter((one) => one.includes('='))).toEqual(['A=one.', 'B=two.']);
  merged.destroy();
});

test('the reader sets the pace, and an input far ahead waits for the others', async () => {
  let made = 0;
  async function* endless() {
    for (;;) {
      made++;
      yield word(' w', made);
      yield progress(made + 0.5);
    }
  }
  const unread = merge({ A: endless() });
  await settle();
  expect(made).toBeLessThanOrEqual(10);
  unread.destroy();

  made = 0;
  const b = input();
  const merged = merge({ A: endless(), B: b.stream });
  const got = follow(merged);
  await settle();
  expect(got).toEqual([]);
  expect(made).toBeGreaterThan(32);
  expect(made).toBeLessThan(100);
  b.say(progress(20));
  await settle();
  expect(got.filter((one) => one === 'A:w')).toHaveLength(19);
  merged.destroy();
});
