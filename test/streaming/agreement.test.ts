/**
 * Tokens that drafts agree on, with the bundled model: they are final early, never retracted, and a function of the audio alone. What
 * exactly is agreed on is the reference stepper's (stepper.test.ts).
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import type { Token } from '../../src/events.js';
import type { LiveOptions } from '../../src/live/open-live.js';
import { loadModel } from '../../src/load-model.js';
import type { Model } from '../../src/model.js';
import { parakeet } from '../../src/parakeet.js';
import { samplesOf } from '../support/samples.js';

const RATE = 16_000;
const seconds = { chunk: 0.16, lookahead: 0.96 };
const agreeing: LiveOptions = {
  latency: { ...seconds, agreement: { drafts: 2, lookahead: 0.32, confidence: 0.9 } },
};

let model: Model;
let samples: Float32Array;
let whole: Heard;
beforeAll(async () => {
  model = await loadModel(bundledModel(), { dtype: 'float32', threads: 1 });
  samples = (await samplesOf('bf_emma_06.flac')).subarray(0, 8 * RATE);
  whole = await hear(agreeing, [1600]);
});
afterAll(() => model.close());

interface Heard {
  tokens: Token[];
  text: string;
  /** For each token, the seconds of audio that had been pushed when it became final. */
  finalAt: number[];
}

/** A stream whose audio comes in pieces of these sizes, over and over. What was final must stay so after each of them. */
async function hear(options: LiveOptions, sizes: readonly number[]): Promise<Heard> {
  const live = model.live(options);
  const finalAt: number[] = [];
  let tokens: Token[] = [];
  const look = (at: number) => {
    const now = [...live.finalizedTokens];
    expect(now.slice(0, tokens.length)).toEqual(tokens);
    while (finalAt.length < now.length) finalAt.push(at / RATE);
    tokens = now;
  };
  for (let at = 0, i = 0; at < samples.length; i++) {
    const next = Math.min(samples.length, at + (sizes[i % sizes.length] as number));
    await live.addAudio(samples.subarray(at, next));
    at = next;
    look(at);
  }
  const { text } = await live.finish();
  look(samples.length);
  return { tokens, text, finalAt };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const delay = ({ tokens, finalAt }: Heard) => median(finalAt.map((at, i) => at - (tokens[i] as Token).start));

describe('tokens that drafts agree on', () => {
  test('are final long before their lookahead is there', async () => {
    const waiting = await hear({ latency: seconds }, [1600]);
    expect(waiting.tokens.length).toBeGreaterThan(10);
    expect(delay(waiting)).toBeGreaterThan(seconds.lookahead);
    expect(delay(whole)).toBeLessThan(delay(waiting) - 0.3);
  });

  test('are the same for any pushes, and all of them together are the text', async () => {
    expect(whole.tokens.map(({ text }) => text).join('')).toBe(` ${whole.text}`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 200, max: 30_000 }), { minLength: 1, maxLength: 5 }),
        async (sizes) => {
          expect((await hear(agreeing, sizes)).tokens).toEqual(whole.tokens);
        },
      ),
      { numRuns: 5 },
    );
  });

  test('wait for their lookahead when no draft is as sure of them as it must be', async () => {
    const never = {
      latency: { ...seconds, agreement: { drafts: 2, lookahead: 0, confidence: 1 } },
    };
    expect(await hear(never, [1600])).toEqual(await hear({ latency: seconds }, [1600]));
  });

  test('are the same when nobody asks for drafts', async () => {
    const line = parakeet({
      model,
      latency: agreeing.latency,
      drafts: false,
      input: { format: 'f32le', sampleRate: RATE, channels: 1 },
    });
    line.end(Buffer.from(samples.slice().buffer));
    const ids: number[] = [];
    for await (const event of line) {
      expect(event.type).not.toBe('draft');
      if (event.type === 'token') ids.push(event.token.id);
    }
    expect(ids).toEqual(whole.tokens.map(({ id }) => id));
  });
});

test.each([
  [{ drafts: 1 }, 'Expected an integer from 2 to 10 for latency.agreement.drafts but received 1'],
  [{ lookahead: -1 }, 'for latency.agreement.lookahead but received -1'],
  [{ confidence: 90 }, 'for latency.agreement.confidence but received 90'],
  [
    { words: 2 },
    "Expected only drafts, lookahead, confidence for the options of latency.agreement but received 'words'",
  ],
])('%o is refused', (agreement: object, message) => {
  expect(() => model.live({ latency: { agreement } })).toThrow(message);
});
