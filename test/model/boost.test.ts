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
import { boostTree, canSpell } from '../../src/model/boost-tree.js';
import { draftBoost } from '../../src/model/draft-model.js';

const audio = path.join(import.meta.dirname, '..', 'audio');
const austen = path.join(audio, 'sense_and_sensibility_01_austen_64kb-0870.flac');
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-boost-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What each of the phrases is worth in a text: weights that are earned in the end, by following the tree's characters. */
function earned(tree: NativeBoostTree, text: string, numbers: ReadonlyMap<string, number>): number {
  const follow = (node: number, character: string): number[] => {
    const [from, to] = [tree.firstEdge[node] as number, tree.firstEdge[node + 1] as number];
    return Array.from({ length: to - from }, (_, i) => from + i)
      .filter((edge) => tree.edgeCharacters[edge] === numbers.get(character))
      .map((edge) => tree.edgeNext[edge] as number);
  };
  const isWord = (character = ' ') => /[\p{L}\p{M}\p{N}]/u.test(character);
  const characters = [...text];
  let sum = 0;
  for (let from = 0; from < characters.length; from++) {
    for (const root of [0, 1, 2, 3]) {
      let nodes = [root];
      for (let to = from; to < characters.length && nodes.length > 0; to++) {
        nodes = nodes.flatMap((node) => follow(node, characters[to] as string));
        const whole =
          !(isWord(characters[from - 1]) && isWord(characters[from])) &&
          !(isWord(characters[to]) && isWord(characters[to + 1]));
        if (root >= 2 || whole) sum += nodes.reduce((all, node) => all + (tree.weights[node] as number), 0);
      }
    }
  }
  return sum;
}

describe('the tree', () => {
  const vocabulary = ['<unk>', '▁', 'a', 'b', 'A', 'B', 'c', '.', '▁ab'];
  /** Numbers of characters, as they come in the pieces. */
  const numbersIn = (tree: NativeBoostTree) =>
    new Map(
      [...vocabulary.join('').replaceAll('▁', ' ')].map((character, i) => [
        character,
        (tree.characters[i] as number) >> 3,
      ]),
    );
  const worth = (text: string, ...boost: BoostPhrase[]) => {
    const tree = boostTree(vocabulary, boost);
    return earned(tree, text, numbersIn(tree));
  };

  test('finds whole words, in any casing, unless it is told otherwise', () => {
    const phrase = 'ab';
    expect(worth('c ab c', { phrase, weight: 3 })).toBe(3);
    expect(worth('AB. aB', { phrase, weight: 3 })).toBe(6);
    expect(worth('abc cab', { phrase, weight: 3 })).toBe(0);
    expect(worth('abc cab', { phrase, weight: 3, wholeWords: false })).toBe(6);
    expect(worth('ab Ab', { phrase: 'Ab', weight: 3, caseSensitive: true })).toBe(3);
    expect(worth('a  b', { phrase: ' a \n b ' })).toBe(0);
    expect(worth('c a b.', { phrase: ' a \n b ' })).toBe(5);
  });

  test('holds phrases with different options side by side, and weights below zero', () => {
    expect(
      worth(
        'ab Ab cab',
        { phrase: 'ab', weight: 1 },
        { phrase: 'Ab', weight: 2, caseSensitive: true },
        { phrase: 'ab', weight: -4, wholeWords: false },
      ),
    ).toBe(1 + 1 + 2 - 12);
  });

  test('earns a weight in proportion to the letters, of phrases that share a beginning the larger; nothing below zero', () => {
    const tree = boostTree(vocabulary, [
      { phrase: 'ab', weight: 4 },
      { phrase: 'aca', weight: 9 },
      { phrase: 'ba', weight: -5 },
    ]);
    expect([...tree.potentials].filter((potential) => potential > 0).sort()).toEqual([3, 4, 6, 9]);
    expect([...tree.weights].filter((weight) => weight !== 0).sort()).toEqual([-5, 4, 9]);
  });

  test('takes a phrase exactly if pieces spell it', () => {
    const pieces = ['▁ab', 'ab', 'c', 'B', '▁'];
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'B'), minLength: 1, maxLength: 6 }),
        (phrase) => {
          const texts = new Set(['']);
          for (const text of texts)
            for (const piece of ['ab', 'c', 'b']) if ((text + piece).length <= 6) texts.add(text + piece);
          expect(canSpell(pieces, { phrase })).toBe(texts.has(phrase.toLowerCase()));
        },
      ),
    );
  });

  test('takes it in the way that it asks for, and a stream leaves out what it cannot spell so', () => {
    const vocabulary = ['▁a', 'b', 'acd'];
    const phrases = [
      { phrase: 'AB' },
      { phrase: 'AB', caseSensitive: true },
      { phrase: 'cd' },
      { phrase: 'cd', wholeWords: false },
    ];
    const takes = phrases.map((one) => {
      try {
        return boostTree(vocabulary, [one]) !== undefined;
      } catch {
        return false;
      }
    });
    expect(takes).toEqual([true, false, false, true]);
    expect(phrases.map((one) => canSpell(vocabulary, one))).toEqual(takes);
    expect(draftBoost({ vocabulary }, phrases)).toEqual([phrases[0], phrases[3]]);
  });

  test.each<[string, unknown, RegExp]>([
    ['no list', 'name', /boost/],
    ['a text', ['name'], /boost\[0\]/],
    ['nothing', [{ phrase: ' ' }], /boost\[0\]\.phrase/],
    ['a weight beyond reason', [{ phrase: 'a', weight: 21 }], /boost\[0\]\.weight/],
    ['no flag', [{ phrase: 'a', wholeWords: 1 }], /boost\[0\]\.wholeWords/],
    ['a casing that no piece has', [{ phrase: 'A', caseSensitive: true }], /spell but received 'A'/],
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
    writeFileSync(file, '# names\nAnna Karenina\n\nRaskolnikov\t-3.5\r\n');
    expect(await readBoostFile(file)).toEqual([
      { phrase: 'Anna Karenina' },
      { phrase: 'Raskolnikov', weight: -3.5 },
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

  test.each([
    { type: 'greedy' },
    { type: 'beam' },
    { type: 'beam', search: 'parakeet-mlx' },
    { head: 'ctc' },
    { type: 'beam', head: 'ctc' },
  ] as const)('%o: a word with a weight below zero is not said, and no other is lost', async (decoding) => {
    const words = (text: string) => text.toLowerCase().match(/[a-z']+/g) ?? [];
    const before = words((await model.transcribe(samples, { decoding })).text);
    const phrase = before.find((word) => word.length > 5) as string;
    const boosted = { ...decoding, boost: [{ phrase, weight: -20 }] };
    const after = words((await model.transcribe(samples, { decoding: boosted })).text);
    expect(after).not.toContain(phrase);
    expect(Math.abs(after.length - before.length)).toBeLessThan(6);
  });

  test('a phrase in its own casing only, and parts of words', async () => {
    const text = async (one: BoostPhrase) =>
      (await model.transcribe(samples, { decoding: { type: 'beam', boost: [one] } })).text;
    expect(await text({ phrase: 'prudently', caseSensitive: true })).toContain('prudently');
    expect(await text({ phrase: 'PRUDENTLY', caseSensitive: true })).not.toContain('prudently');
    expect(await text({ phrase: 'rudentl', weight: 12 })).not.toContain('prudently');
    expect(await text({ phrase: 'rudentl', weight: 12, wholeWords: false })).toContain('rudentl');
  });

  test('the first letter is a capital or not', async () => {
    const first = async (firstUppercase: number) => {
      const { text } = await model.transcribe(samples, { decoding: { type: 'beam', firstUppercase } });
      return /\p{L}/u.exec(text)?.[0] ?? '';
    };
    expect(await first(20)).toMatch(/\p{Lu}/u);
    expect(await first(-20)).toMatch(/\p{Ll}/u);
    await using live = model.transcribeStream({ latency: 'balanced', decoding: { firstUppercase: -20 } });
    await live.setBoost([]);
    await live.addAudio(samples.subarray(0, 80_000));
    expect(/\p{L}/u.exec((await live.finish()).text)?.[0]).toMatch(/\p{Ll}/u);
  });

  test('phrases that were not said change nothing', async () => {
    const bait = ['penicillin', 'Mississippi', 'quarterly', 'thermometer'].map((phrase) => ({ phrase }));
    // Without phrases, the bundled language model would help.
    expect((await model.transcribe(samples, { decoding: { boost: bait } })).text).toBe(
      (await model.transcribe(samples, { decoding: { type: 'greedy' } })).text,
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
