// Phrases that are listened for: their tree, and what they do in the engine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSamples } from '../../bench/recordings.mjs';
import type { NativeBoostTree } from '../../src/engine/addon.js';
import {
  type BoostPhrase,
  loadModel,
  type Model,
  parakeet,
  readBoostFile,
  type TranscriptEvent,
} from '../../src/index.js';
import { boostTree } from '../../src/model/boost-tree.js';

const audio = path.join(import.meta.dirname, '..', 'audio');
const austen = path.join(audio, 'sense_and_sensibility_01_austen_64kb-0870.flac');
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-boost-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** All texts of tokens from the tree's beginning to a phrase's end. */
function spellings(tree: NativeBoostTree, vocabulary: readonly string[], node = 0): string[][] {
  const found: string[][] = [];
  for (let edge = tree.first[node] as number; edge < (tree.first[node + 1] as number); edge++) {
    const next = tree.next[edge] as number;
    const piece = vocabulary[tree.tokens[edge] as number] as string;
    if (tree.whole[next]) found.push([piece]);
    for (const rest of spellings(tree, vocabulary, next)) found.push([piece, ...rest]);
  }
  return found;
}

/** The ways to cut a text into pieces, by trying all. */
function cuts(text: string, vocabulary: readonly string[]): string[][] {
  if (text === '') return [[]];
  return vocabulary
    .filter((piece) => piece !== '' && text.startsWith(piece.toLowerCase()))
    .flatMap((piece) => cuts(text.slice(piece.length), vocabulary).map((rest) => [piece, ...rest]));
}

describe('the tree', () => {
  test('has every way in which the pieces spell a phrase, in every casing, and no other', () => {
    const vocabulary = ['<unk>', '▁', '▁a', 'a', 'A', '▁A', '▁ab', 'b', 'B', 'ab', 'bA', '▁ba', 'c'];
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.constantFrom('a', 'b', 'A'), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 3,
        }),
        (words) => {
          const phrase = words.map((letters) => letters.join('')).join(' ');
          const text = phrase
            .split(' ')
            .map((word) => `▁${word}`)
            .join('')
            .toLowerCase();
          const sorted = (list: string[][]) => list.map((one) => one.join('|')).sort();
          expect(sorted(spellings(boostTree(vocabulary, [{ phrase }]), vocabulary))).toEqual(
            sorted(cuts(text, vocabulary)),
          );
        },
      ),
    );
  });

  test('shared beginnings are one, with the larger weight; the first piece has half, a lone space nothing', () => {
    const vocabulary = ['▁', 'a', 'b', 'c'];
    const tree = boostTree(vocabulary, [
      { phrase: 'ab', weight: 1 },
      { phrase: 'ac', weight: 3 },
    ]);
    const bonuses = Object.fromEntries(
      Array.from(tree.tokens, (token, edge) => [vocabulary[token], tree.bonuses[edge]]),
    );
    expect(bonuses).toEqual({ '▁': 0, a: 1.5, b: 1, c: 3 });
  });

  test.each<[string, unknown, RegExp]>([
    ['no list', 'name', /boost/],
    ['a text', ['name'], /boost\[0\]/],
    ['nothing', [{ phrase: ' ' }], /boost\[0\]\.phrase/],
    ['a weight beyond reason', [{ phrase: 'a', weight: 21 }], /boost\[0\]\.weight/],
    ['a misspelt key', [{ phrase: 'a', wieght: 1 }], /boost\[0\]/],
    ['letters that no piece has', [{ phrase: 'a1' }], /spell but received 'a1'/],
  ])('%s is an error', (_, boost, message) => {
    expect(() => boostTree(['▁', 'a'], boost as BoostPhrase[])).toThrow(
      expect.objectContaining({
        code: 'ERR_PARAKEET_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
  });

  test('is read from a file', async () => {
    const file = path.join(folder, 'phrases.txt');
    writeFileSync(file, '# names\nAnna Karenina\n\nRaskolnikov\t3.5\r\n');
    expect(await readBoostFile(file)).toEqual([
      { phrase: 'Anna Karenina' },
      { phrase: 'Raskolnikov', weight: 3.5 },
    ]);
    writeFileSync(file, 'good\nbad\tvery\n');
    await expect(readBoostFile(file)).rejects.toMatchObject({
      message: expect.stringMatching(/line 2 of .*bad/),
    });
    await expect(readBoostFile(path.join(folder, 'none'))).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    });
  });
});

describe('in the engine', () => {
  const boost = [{ phrase: 'prudently' }];
  let model: Model;
  let samples: Float32Array;
  beforeAll(async () => {
    model = await loadModel(undefined, { dtype: 'float32' });
    samples = await readSamples(austen, model.info.sampleRate);
  });
  afterAll(() => model.close());

  /** The samples through a live transcript; `meanwhile` is called after half of them. */
  async function live(
    options: Parameters<Model['transcribeStream']>[0],
    meanwhile = async (_: ReturnType<Model['transcribeStream']>) => {},
  ) {
    await using stream = model.transcribeStream({ latency: 'balanced', ...options });
    for (let at = 0; at < samples.length; at += 8000) {
      if (Math.abs(at - samples.length / 2) < 4000) await meanwhile(stream);
      await stream.addAudio(samples.subarray(at, at + 8000));
    }
    await stream.finish();
    return stream.result.text;
  }

  test.each(['greedy', 'beam'] as const)(
    '%s: a word is found that was misheard, whole recordings and live',
    async (type) => {
      const decoding = { type };
      expect((await model.transcribe(samples, { decoding })).text).not.toContain('prudently');
      expect((await model.transcribe(samples, { decoding: { ...decoding, boost } })).text).toContain(
        'prudently',
      );
      expect(await live({ decoding })).not.toContain('prudently');
      expect(await live({ decoding: { ...decoding, boost } })).toContain('prudently');
      const mel = await model.computeLogMel(samples, 0.8);
      expect((await model.generate(mel, { decoding: { ...decoding, boost } })).text).toContain('prudently');
    },
  );

  test('phrases that were not said change nothing', async () => {
    const bait = ['penicillin', 'Mississippi', 'quarterly', 'thermometer'].map((phrase) => ({ phrase }));
    expect((await model.transcribe(samples, { decoding: { boost: bait } })).text).toBe(
      (await model.transcribe(samples)).text,
    );
  });

  test('can be changed while a stream runs', async () => {
    expect(await live({}, (stream) => stream.setBoost(boost))).toContain('prudently');
    expect(await live({ decoding: { boost } }, (stream) => stream.setBoost([]))).not.toContain('prudently');
    await using stream = model.transcribeStream();
    await expect(stream.setBoost([{ phrase: '' }])).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    });
  });

  test('in parakeet(), before the model is there and after', async () => {
    const sentences = async (line: ReturnType<typeof parakeet>) => {
      const events = (line as AsyncIterable<TranscriptEvent> & typeof line).toArray() as Promise<
        TranscriptEvent[]
      >;
      line.write(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength));
      line.end();
      return (await events)
        .flatMap((event) => (event.type === 'sentence' ? [event.sentence.text] : []))
        .join(' ');
    };
    const raw = { model, input: { format: 'f32le', sampleRate: 16_000, channels: 1 } } as const;
    expect(await sentences(parakeet(raw))).not.toContain('prudently');
    expect(await sentences(parakeet({ ...raw, decoding: { boost } }))).toContain('prudently');
    const early = parakeet(raw);
    await early.setBoost(boost);
    expect(await sentences(early)).toContain('prudently');
  });

  test('streams with phrases, without, and with a beam run together and hear what each hears alone', async () => {
    const kinds = [
      {},
      { decoding: { boost } },
      { decoding: { type: 'beam' } as const },
      { decoding: { boost: [{ phrase: 'leisure', weight: 4 }] } },
      { decoding: { type: 'beam', boost } as const },
      { decoding: { head: 'ctc', boost } as const },
    ];
    const alone: string[] = [];
    for (const kind of kinds) alone.push(await live(kind));
    const together = await Promise.all(kinds.map((kind) => live(kind)));
    expect(together).toEqual(alone);
    expect(alone[1]).not.toBe(alone[0]);
  });

  test('a snapshot in the middle of a phrase goes on with it', async () => {
    for (const decoding of [undefined, { type: 'beam' }] as const) {
      const whole = await live({ decoding: { ...decoding, boost } });
      for (const at of [80_000, 96_000, 100_000, 104_000, 108_000]) {
        await using first = model.transcribeStream({ latency: 'balanced', decoding: { ...decoding, boost } });
        await first.addAudio(samples.subarray(0, at));
        await using second = model.transcribeStream({ from: await first.snapshot() });
        await second.addAudio(samples.subarray(at));
        await second.finish();
        expect(second.result.text).toBe(whole);
      }
    }
  });
});
