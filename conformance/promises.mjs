/**
 * What a streaming recogniser should promise, one entry a promise: an id, the promise as a sentence, and a check that throws when it is
 * broken. `test/promises` and `conformance/run.mjs` both take them from here. The checks know a recogniser only through its adapter
 * (adapter.mjs); how it is made is in adapters/.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { joined } from '../bench/joined.mjs';
import { Unmeasured } from './adapter.mjs';
import { memoryInUse } from './memory.mjs';
import { changing, constant, cutAfterLastSound, noise, silence } from './sound.mjs';

/**
 * @typedef {import('./adapter.mjs').Adapter} Adapter
 * @typedef {import('./adapter.mjs').Session} Session
 * @typedef {import('./adapter.mjs').Token} Token
 */

/** @type {{ id: string, promise: string, check: (adapter: Adapter) => Promise<void> }[]} */
export const promises = [
  {
    id: 'any-split',
    promise: 'Any split of the input gives the same transcript.',
    async check(adapter) {
      const whole = await transcribe(adapter, adapter.speech, [adapter.speech.length]);
      assert(whole.length > 0, 'the speech gives no token, so that nothing can be compared');
      for (const sizes of [[160], [1, 7, 4801], [9973], changing(20, 1, 20_000)]) {
        assert.deepEqual(
          await transcribe(adapter, adapter.speech, sizes),
          whole,
          `pushes of ${sizes.slice(0, 3)}…`,
        );
      }
    },
  },
  {
    id: 'stream-is-offline',
    promise: 'A stream that sees the whole recording gives the words that the recording gives offline.',
    async check(adapter) {
      if (!adapter.offline) throw new Unmeasured('no way to say how far a stream sees');
      const { streamed, offline } = await adapter.offline(adapter.speech);
      assert(offline.length > 0, 'the speech gives no token');
      assert.deepEqual(streamed, offline);
    },
  },
  {
    id: 'append-only',
    promise: 'Finals are append-only: what is final once is never changed.',
    async check(adapter) {
      await withSession(adapter, async (session) => {
        let last = [];
        let grown = 0;
        const added = (tokens) => {
          assert.deepEqual(tokens.slice(0, last.length), last);
          if (tokens.length > last.length) grown++;
          last = structuredClone(tokens);
        };
        for (const piece of pieces(adapter.speech, [1600])) {
          await session.push(piece);
          added(session.finals());
        }
        added(await session.finish());
        assert(grown > 1, `the finals grew ${grown} times only`);
      });
    },
  },
  {
    id: 'absolute-times',
    promise: 'Times are absolute: they never decrease, stay within the audio, and do not drift.',
    async check(adapter) {
      const { sampleRate, speech } = adapter;
      const early = await transcribe(adapter, speech, [16_000]);
      const quiet = silence(240 * sampleRate);
      const late = await transcribe(adapter, joined([quiet, speech]), [160_000]);
      const end = 240 + speech.length / sampleRate;
      late.forEach((token, i) => {
        assert(token.start >= (late[i - 1]?.start ?? 0), `token ${i} starts before the one before it`);
        assert(token.end >= token.start && token.end <= end + 1e-6, `token ${i} ends at ${token.end}`);
      });
      const spoken = late.filter((token) => token.start >= 239.5);
      assert(spoken.length > 0, 'no token has a time after the silence');
      // What random weights hear depends on what was before: only a trained model hears the same words after silence.
      if (adapter.untrained) return;
      assert.deepEqual(
        spoken.map(({ text }) => text),
        early.map(({ text }) => text),
      );
      // The same words four minutes later: each at its time, to a hundredth of a second.
      spoken.forEach((token, i) => {
        assert(
          Math.abs(token.start - 240 - early[i].start) < 0.01,
          `token ${i} has drifted to ${token.start}`,
        );
      });
    },
  },
  {
    id: 'silence',
    promise: 'Silence gives nothing.',
    async check(adapter) {
      mustBeTrained(adapter);
      const length = 4 * adapter.sampleRate;
      for (const [what, samples] of [
        ['digital silence', silence(length)],
        ['low noise', noise(length, 1e-3)],
        ['a constant', constant(length, 0.1)],
        ['no audio at all', silence(0)],
      ]) {
        assert.deepEqual(await transcribe(adapter, samples, [8000]), [], what);
      }
    },
  },
  {
    id: 'tail',
    promise: 'The tail is there: a last word is heard though nothing follows it.',
    async check(adapter) {
      mustBeTrained(adapter);
      const cut = cutAfterLastSound(adapter.speech, adapter.sampleRate);
      const followed = await transcribe(adapter, joined([cut, silence(2 * adapter.sampleRate)]), [8000]);
      assert(followed.length > 0, 'the speech gives no token');
      assert.equal(lastWord(await transcribe(adapter, cut, [8000])), lastWord(followed));
    },
  },
  {
    id: 'bounded-memory',
    promise: 'Memory is bounded: a stream that goes on needs no more than one that has begun.',
    async check(adapter) {
      const minute = repeated(adapter.speech, 60 * adapter.sampleRate);
      await withSession(adapter, async (session) => {
        const memory = [];
        for (let i = 0; i < 8; i++) {
          for (const piece of pieces(minute, [16_000])) await session.push(piece);
          memory.push(memoryInUse());
        }
        // The least of three minutes: what is garbage in one of them is freed in another. The first minute is warm-up.
        const growth = (Math.min(...memory.slice(5)) - Math.min(...memory.slice(1, 4))) / 4 / 2 ** 20;
        // A minute of audio is 3.7 MiB of float32 samples; the text of a minute is a few KiB.
        assert(growth < 2, `${growth.toFixed(1)} MiB more with each minute of audio`);
      });
    },
  },
  {
    id: 'back-pressure',
    promise: 'Back-pressure: while nobody reads, the source is stopped.',
    async check(adapter) {
      if (!adapter.pipe) throw new Unmeasured('no stream that could be read slowly');
      let taken = 0;
      const second = adapter.speech.slice(0, adapter.sampleRate);
      const { close } = await adapter.pipe(
        (function* () {
          for (let i = 0; i < 600; i++) {
            taken++;
            yield second;
          }
        })(),
      );
      try {
        for (let same = 0, last = taken; same < 500; last = taken) {
          await turn();
          same = taken === last ? same + 1 : 0;
        }
        assert(taken < 30, `${taken} s of audio were taken though nobody read`);
      } finally {
        await close();
      }
    },
  },
  {
    id: 'abort',
    promise:
      'An abort at any point ends the stream at once, leaves nothing behind, and harms no other stream.',
    async check(adapter) {
      const samples = adapter.speech.slice(0, 3 * adapter.sampleRate);
      const steps = [...pieces(samples, [4800])];
      const other = adapter.open();
      const undisturbed = await transcribe(adapter, samples, [4800]);
      for (let at = 0; at <= steps.length; at++) {
        const session = adapter.open();
        for (const piece of steps.slice(0, at)) await session.push(piece);
        // One call is under way when it is closed, the last one is the end itself.
        const under = at < steps.length ? session.push(steps[at]) : session.finish();
        const settled = Promise.resolve(under).catch((error) => assert(error instanceof Error));
        await session.close();
        await settled;
        if (at < steps.length) await other.push(steps[at]);
      }
      assert.deepEqual(plain(await other.finish()), undisturbed, 'another stream was disturbed');
      await other.close();
      if (adapter.alive) assert.equal(await adapter.alive(), 0, 'sessions are left open');
    },
  },
  {
    id: 'batch-is-alone',
    promise: 'Among others or alone: a stream gives the same.',
    async check(adapter) {
      const starts = [0, 0.3, 0.71, 1.13].map((seconds) => Math.round(seconds * adapter.sampleRate));
      const inputs = starts.map((start) => adapter.speech.slice(start));
      const alone = [];
      for (const input of inputs) alone.push(await transcribe(adapter, input, [4800]));
      assert(
        alone.every((tokens) => tokens.length > 0),
        'the speech gives no token',
      );
      const together = await Promise.all(inputs.map((input) => transcribe(adapter, input, [4800])));
      assert.deepEqual(together, alone);
    },
  },
  {
    id: 'threads-and-exit',
    promise:
      'It runs in worker threads, and a process that has an open stream ends by itself when its program does.',
    async check(adapter) {
      const program = fileURLToPath(new URL('exit-program.mjs', import.meta.url));
      const child = spawn(process.execPath, [program, adapter.module], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      let wrong = '';
      child.stdout.on('data', (data) => (said += data));
      child.stderr.on('data', (data) => (wrong += data));
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
      const [code, signal] = await once(child, 'close');
      clearTimeout(timer);
      assert.deepEqual(
        { code, signal, said: said.trim() },
        { code: 0, signal: null, said: 'worker same' },
        wrong,
      );
    },
  },
  {
    id: 'malformed-input',
    promise: 'Malformed input is an error that can be caught, never a crash, a hang or a word.',
    async check(adapter) {
      const broken = [
        new Float32Array(1600).fill(Number.NaN),
        new Float32Array(1600).fill(Number.POSITIVE_INFINITY),
        'sound',
        undefined,
        new Int16Array(1600),
      ];
      for (const [i, input] of broken.entries()) {
        await withSession(adapter, async (session) => {
          await assert.rejects(async () => session.push(input), Error, `input ${i} was taken`);
        });
      }
      assert((await transcribe(adapter, adapter.speech, [8000])).length > 0, 'nothing is heard afterwards');
    },
  },
  {
    id: 'source-faults',
    promise: 'A source that fails ends the transcript: every final is given out, then its error.',
    async check(adapter) {
      if (!adapter.pipe) throw new Unmeasured('no stream that a source could be piped into');
      const heard = await transcribe(adapter, adapter.speech, [8000]);
      const fault = new Error('the cable');
      const { read } = await adapter.pipe(
        (function* () {
          for (const piece of pieces(adapter.speech, [8000])) yield piece;
          throw fault;
        })(),
      );
      const { tokens, error } = await read();
      assert.equal(error, fault);
      assert(tokens.length > 0);
      assert.deepEqual(
        plain(tokens).map(({ text }) => text),
        heard.slice(0, tokens.length).map(({ text }) => text),
      );
    },
  },
  {
    id: 'resume',
    promise: 'A stream goes on from a snapshot as if it had never stopped.',
    async check(adapter) {
      if (!adapter.snapshots) throw new Unmeasured('no snapshots');
      const whole = await transcribe(adapter, adapter.speech, [4800]);
      for (const part of [0, 0.37, 0.8, 1]) {
        const at = Math.round(part * adapter.speech.length);
        const first = adapter.open();
        await first.push(adapter.speech.slice(0, at));
        const saved = await first.snapshot();
        await first.close();
        const second = adapter.open(saved);
        await second.push(adapter.speech.slice(at));
        assert.deepEqual(plain(await second.finish()), whole, `after a snapshot at ${part}`);
        await second.close();
      }
    },
  },
];

function mustBeTrained(adapter) {
  if (adapter.untrained) throw new Unmeasured('random weights know neither silence nor words');
}

/** Everything that a stream gives for `samples`, cut into pushes of these sizes, over and over. */
async function transcribe(adapter, samples, sizes) {
  return withSession(adapter, async (session) => {
    for (const piece of pieces(samples, sizes)) await session.push(piece);
    return plain(await session.finish());
  });
}

/** A session that is closed whatever happens. */
async function withSession(adapter, use) {
  const session = adapter.open();
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

function* pieces(samples, sizes) {
  for (let at = 0, i = 0; at < samples.length; i++) {
    const size = sizes[i % sizes.length];
    yield samples.slice(at, at + size);
    at += size;
  }
}

/** @param {readonly Token[]} tokens */
const plain = (tokens) => tokens.map(({ text, start, end }) => ({ text, start, end }));

const lastWord = (tokens) =>
  tokens
    .map(({ text }) => text)
    .join('')
    .toLowerCase()
    .match(/[\p{L}\p{N}']+(?=[^\p{L}\p{N}']*$)/u)?.[0];

function repeated(samples, length) {
  return Float32Array.from({ length }, (_, i) => samples[i % samples.length]);
}
