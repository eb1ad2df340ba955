// A beam, live: it is judged by what follows, so that it hears better than greedy decoding in small steps too, and whatever the pushes.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRecordings, readSamples } from '../../bench/recordings.mjs';
import { wordErrorRate } from '../../bench/wer-metric.mjs';
import { loadModel, type Model, type TranscribeStreamOptions } from '../../src/index.js';
import { rounded } from '../support/rounded.js';

const audio = path.join(import.meta.dirname, '..', 'audio');
let model: Model;
let recordings: { samples: Float32Array; said: string }[];
beforeAll(async () => {
  model = await loadModel(undefined, { dtype: 'float32' });
  recordings = await Promise.all(
    [...readRecordings(audio)].map(async ({ file, said }) => ({
      samples: await readSamples(file, model.info.sampleRate),
      said,
    })),
  );
});
afterAll(() => model.close());

async function live(samples: Float32Array, push: number, options: TranscribeStreamOptions) {
  await using stream = model.transcribeStream(options);
  const finals: number[] = [];
  for (let at = 0; at < samples.length; at += push) {
    await stream.addAudio(samples.subarray(at, at + push));
    // What is final stays.
    expect(stream.finalizedTokens.slice(0, finals.length).map(({ id }) => id)).toEqual(finals);
    finals.splice(0, finals.length, ...stream.finalizedTokens.map(({ id }) => id));
  }
  await stream.finish();
  return stream.result;
}

describe.each(['tdt', 'ctc'] as const)('%s', (head) => {
  test.each(['low', 'balanced'] as const)(
    '%s: no more words are wrong than greedily, but for chance',
    async (latency) => {
      const rate = async (type: 'greedy' | 'beam') => {
        const pairs = await Promise.all(
          recordings.map(async ({ samples, said }) => ({
            said,
            heard: (await live(samples, 16_000, { latency, decoding: { type, head } })).text,
          })),
        );
        return wordErrorRate(pairs).wer;
      };
      // Three words of 135 are chance; a search that does not look ahead has half of them wrong.
      expect(await rate('beam')).toBeLessThanOrEqual((await rate('greedy')) + (100 * 3.5) / 135);
    },
  );

  test('any pushes give the same tokens', async () => {
    const { samples } = recordings[0] as { samples: Float32Array };
    const decoding = { type: 'beam', head } as const;
    const [first, ...others] = await Promise.all(
      [800, 7777, 16_000, samples.length].map((push) => live(samples, push, { latency: 'low', decoding })),
    );
    for (const other of others) expect(rounded(other.tokens)).toEqual(rounded(first?.tokens));
  });
});
