/** How much work runs at once, whatever comes and goes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Admission, type Release } from '../../src/server/admission.js';

const forever = new AbortController().signal;

describe('live transcripts', () => {
  test('up to the limit, then busy with a time to try again', () => {
    const admission = new Admission({ maxStreams: 2, maxFiles: 1, maxQueue: 0 });
    const first = admission.live();
    admission.live();
    expect(admission.ready).toBe(false);
    expect(() => admission.live()).toThrow(
      expect.objectContaining({ code: 'ERR_PARAKEET_SERVER_BUSY', retryAfter: 5 }),
    );
    first();
    // Given back once only.
    first();
    expect(admission.streams).toBe(1);
    admission.live();
    expect(() => admission.live()).toThrow();
  });

  test('none while those that are open come late', () => {
    let late = false;
    const admission = new Admission({ maxStreams: 2, maxFiles: 1, maxQueue: 0 }, () => late);
    admission.live();
    late = true;
    expect(admission.ready).toBe(false);
    expect(() => admission.live()).toThrow(
      expect.objectContaining({ code: 'ERR_PARAKEET_SERVER_BUSY', message: expect.stringContaining('late') }),
    );
    late = false;
    expect(admission.ready).toBe(true);
    admission.live();
  });

  test('several of one client: all or none', () => {
    const admission = new Admission({ maxStreams: 3, maxFiles: 1, maxQueue: 0 });
    admission.live(2);
    expect(() => admission.live(2)).toThrow();
    expect(admission.streams).toBe(2);
  });
});

describe('files', () => {
  test('wait for their turn, in order, and go when they are given up', async () => {
    const admission = new Admission({ maxStreams: 4, maxFiles: 1, maxQueue: 2 });
    const release = await admission.file(forever);
    const order: string[] = [];
    const gone = new AbortController();
    const second = admission.file(gone.signal).catch((error: Error) => order.push(error.message));
    const third = admission.file(forever).then((done) => {
      order.push('third');
      return done;
    });
    expect(admission.queued).toBe(2);
    await expect(admission.file(forever)).rejects.toMatchObject({ code: 'ERR_PARAKEET_SERVER_BUSY' });
    gone.abort(new Error('gone'));
    await second;
    release();
    (await third)();
    expect(order).toEqual(['gone', 'third']);
    expect([admission.files, admission.queued]).toEqual([0, 0]);
  });

  test('wait while more than half of the live capacity is taken: live goes first', async () => {
    const admission = new Admission({ maxStreams: 4, maxFiles: 2, maxQueue: 2 });
    const streams = [admission.live(), admission.live(), admission.live()];
    let begun = false;
    const file = admission.file(forever).then((release) => {
      begun = true;
      return release;
    });
    // Live is taken all the same.
    streams.push(admission.live());
    streams.pop()?.();
    await Promise.resolve();
    expect(begun).toBe(false);
    streams.pop()?.();
    (await file)();
  });

  test('that wait when the server stops are refused', async () => {
    const admission = new Admission({ maxStreams: 1, maxFiles: 1, maxQueue: 1 });
    await admission.file(forever);
    const waiting = admission.file(forever);
    admission.close();
    await expect(waiting).rejects.toThrow(/stopping/);
    await expect(admission.file(forever)).rejects.toThrow(/stopping/);
    expect(() => admission.live()).toThrow(/stopping/);
    expect(admission.ready).toBe(false);
  });
});

test('whatever comes and goes, no limit is passed and nothing is lost', async () => {
  const limits = { maxStreams: 3, maxFiles: 2, maxQueue: 2 };
  const steps = fc.array(fc.constantFrom('live', 'live end', 'file', 'file end', 'give up'), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const admission = new Admission(limits);
      const held: Record<'live' | 'file', Release[]> = { live: [], file: [] };
      const waiting: AbortController[] = [];
      for (const step of sequence) {
        if (step === 'live') {
          try {
            held.live.push(admission.live());
          } catch {}
        }
        if (step === 'live end') held.live.shift()?.();
        if (step === 'file end') held.file.shift()?.();
        if (step === 'give up') waiting.shift()?.abort();
        if (step === 'file') {
          const controller = new AbortController();
          waiting.push(controller);
          admission.file(controller.signal).then(
            (release) => held.file.push(release),
            () => {},
          );
        }
        await new Promise(setImmediate);
        expect(admission.streams).toBe(held.live.length);
        expect(admission.files).toBe(held.file.length);
        expect(admission.streams).toBeLessThanOrEqual(limits.maxStreams);
        expect(admission.files).toBeLessThanOrEqual(limits.maxFiles);
        expect(admission.queued).toBeLessThanOrEqual(limits.maxQueue);
      }
      for (const controller of waiting) controller.abort();
      for (const release of [...held.live, ...held.file]) release();
      await new Promise(setImmediate);
      // What was still in the queue may have begun when places were free.
      for (const release of held.file) release();
      expect([admission.streams, admission.files, admission.queued]).toEqual([0, 0, 0]);
    }),
    { numRuns: 100 },
  );
});
