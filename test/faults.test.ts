/** Sources that misbehave, through the whole line: nothing final is lost, nothing hangs, memory and the event loop stay bounded. */
import { PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import type { TranscriptEvent } from '../src/events.js';
import { parakeet } from '../src/parakeet.js';
import { transcribe } from '../src/transcribe.js';
import { fakeModel, loud } from './support/fake-native.js';
import { wavFile } from './support/wav-file.js';

const raw = { mode: 'live', input: { format: 's16le', sampleRate: 16_000, channels: 1 } } as const;
const spoken = (seconds: number) => Buffer.from(Int16Array.from(loud(seconds), (x) => x * 32_767).buffer);

function sink(events: TranscriptEvent[] = []) {
  return new Writable({
    objectMode: true,
    write(event: TranscriptEvent, _encoding, callback) {
      events.push(event);
      callback();
    },
  });
}
const tokens = (events: readonly TranscriptEvent[]) =>
  events.filter((event) => event.type === 'token').length;

describe('a source that', () => {
  test('stalls: what it gave is heard meanwhile, and the rest when it comes', async () => {
    const source = new PassThrough();
    const events: TranscriptEvent[] = [];
    const done = transcribe(source, { sink: sink(events), model: fakeModel(), latency: 'low', ...raw });
    source.write(spoken(4));
    // All but the lookahead (0.64 s), the step that is not full (0.32 s) and what no frame is made of yet.
    const due = Math.floor((4 - 0.64 - 0.32 - 0.1) / 0.08);
    await vi.waitFor(() => expect(tokens(events)).toBeGreaterThanOrEqual(due), {
      interval: 5,
      timeout: 10_000,
    });
    source.end(spoken(1));
    await done;
    expect(tokens(events)).toBeGreaterThanOrEqual(62);
  });

  test('ends in the middle of a sample, or is destroyed: a typed error, and what was heard is written', async () => {
    for (const end of [
      (source: PassThrough) => source.end(Buffer.from([1])),
      (source: PassThrough) => source.destroy(),
      (source: PassThrough) => source.destroy(new Error('the cable')),
    ]) {
      const source = new PassThrough();
      const events: TranscriptEvent[] = [];
      const done = transcribe(source, { sink: sink(events), model: fakeModel(), ...raw });
      source.write(spoken(3));
      await vi.waitFor(() => expect(tokens(events)).toBeGreaterThan(0), { interval: 5, timeout: 10_000 });
      end(source);
      const error = (await done.catch((failure: unknown) => failure)) as Error & { code?: string };
      expect(error).toBeInstanceOf(Error);
      expect(error.message === 'the cable' || /^ERR_PARAKEET_/.test(error.code ?? '')).toBe(true);
      expect(tokens(events)).toBeGreaterThanOrEqual(37);
    }
  });

  test('gives one byte at a time', async () => {
    const source = Readable.from(
      (function* () {
        const file = wavFile([loud(1.2)]);
        for (let i = 0; i < file.length; i++) yield file.subarray(i, i + 1);
      })(),
    );
    const result = await transcribe(source, { mode: 'live', model: fakeModel() });
    expect(result.tokens.length).toBeGreaterThanOrEqual(15);
  });

  test('changes its format in the middle: what follows is no sound of the file, or an error, but never noise', async () => {
    const first = wavFile([loud(1)]);
    const second = wavFile([loud(1)], { sampleRate: 48_000, format: 'float', bits: 32 });
    const one = await transcribe(Readable.from([first, second]), { mode: 'live', model: fakeModel() });
    // A WAV file ends where it says; what comes behind it is not part of it.
    expect(one.tokens.length).toBeLessThanOrEqual(14);
    expect(one.tokens.length).toBeGreaterThanOrEqual(12);
  });

  test('gives 100 MB at once: memory stays bounded, and the event loop has its turns', {
    timeout: 120_000,
  }, async () => {
    const bytes = Buffer.alloc(100 * 2 ** 20);
    const model = fakeModel();
    const line = parakeet({ model, ...raw, drafts: false });
    global.gc?.();
    const before = process.memoryUsage().rss;
    let most = 0;
    let turns = 0;
    const watch = setInterval(() => {
      turns++;
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 20);
    let progress = 0;
    line.end(bytes);
    for await (const event of line) if (event.type === 'progress') progress = event.time;
    clearInterval(watch);
    expect(progress).toBeCloseTo(bytes.length / 2 / 16_000);
    expect(most / 2 ** 20).toBeLessThan(150);
    // Work that is done in one go, which takes seconds, leaves the timer one turn or none.
    expect(turns).toBeGreaterThan(20);
  });
});
