/** `start`, `duration` and `stream`: an excerpt to the sample, whoever decodes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { loadModel } from '../../src/load-model.js';
import { transcribe } from '../../src/transcribe.js';
import { decode } from '../../src/transforms/decode.js';
import { oggOpus } from '../support/containers.js';
import { encodeOpus, OPUS_DELAY } from '../support/opus.js';
import { joined, pieces, through } from '../support/streams.js';
import { sine, wavFile } from '../support/wav-file.js';

const tone = sine(440, 1.5, 48_000);
const files: [string, Uint8Array][] = [
  ['WAV', wavFile([tone], { sampleRate: 48_000, bits: 32 })],
  ['Ogg/Opus', oggOpus(encodeOpus([tone]), { preSkip: OPUS_DELAY, length: 71_000 })],
];

describe.each(files)('an excerpt of %s', (_name, file) => {
  test('is what the whole has there, for any split', async () => {
    const whole = joined((await through([file], decode())).items)[0] as Float32Array;
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1.6, noNaN: true }),
        fc.double({ min: 0.001, max: 1.6, noNaN: true }),
        fc.integer({ min: 100, max: 20_000 }),
        async (start, duration, size) => {
          const { items, error } = await through(pieces(file, size), decode({ start, duration }));
          expect(error).toBeUndefined();
          const got = joined(items)[0] ?? new Float32Array(0);
          const [begin, end] = [Math.round(start * 48_000), Math.round((start + duration) * 48_000)];
          const wanted = whole.subarray(begin, end);
          expect(Math.abs(got.length - wanted.length)).toBeLessThanOrEqual(1);
          expect(got.subarray(0, wanted.length - 1)).toEqual(wanted.subarray(0, wanted.length - 1));
        },
      ),
      { numRuns: 15 },
    );
  });

  test('what lies behind it is not looked at: a broken end is none of its concern', async () => {
    const { items, error } = await through(pieces(file.subarray(0, -500), 1000), decode({ duration: 0.5 }));
    expect(error).toBeUndefined();
    expect(joined(items)[0]?.length).toBe(24_000);
  });
});

test('options that make no sense are refused, and a second stream where there is one', async () => {
  expect(() => decode({ start: -1 })).toThrow(/start/);
  expect(() => decode({ duration: 0 })).toThrow(/duration/);
  expect(() => decode({ track: 0.5 })).toThrow(/track/);
  const { error } = await through([wavFile([tone])], decode({ track: 1 }));
  expect(error).toMatchObject({ code: 'ERR_PARAKEET_INVALID_AUDIO' });
});

test('times count from the start, in files, streams and samples alike', async () => {
  const model = await loadModel(bundledModel());
  const folder = await mkdtemp(path.join(tmpdir(), 'parakeet-excerpt-'));
  try {
    const jfk = new URL('../audio/jfk.flac', import.meta.url);
    const file = path.join(folder, 'jfk.wav');
    const { items } = await through([await import('node:fs').then((fs) => fs.readFileSync(jfk))], decode());
    const samples = joined(items)[0] as Float32Array;
    await writeFile(file, wavFile([samples], { bits: 32 }));
    const part = { input: { start: 7.9, duration: 2.6 } };
    const results = [
      await model.transcribe(jfk, part),
      await model.transcribe(file, part),
      await model.transcribe(samples, part),
    ];
    for (const { text, tokens } of results) {
      expect(text.toLowerCase()).toMatch(/what you can do for your country/);
      expect(tokens[0]?.start).toBeLessThan(1);
      expect(tokens.at(-1)?.end).toBeLessThan(2.7);
    }
    const live = await transcribe(jfk, { model, mode: 'live', ...part });
    expect(live.text.toLowerCase()).toMatch(/you can do for your country/);
  } finally {
    await model.close();
    await rm(folder, { recursive: true });
  }
});
