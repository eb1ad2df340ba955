/** NGPU-LM in archives as NeMo saves it (ngram_lm_batched.py, SuffixTreeStorage): the probabilities of the ARPA file that it was made of come through. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { convertLanguageModel } from '../../src/lm/convert.js';
import { modelVocabulary } from '../../src/lm/model-vocabulary.js';
import { openLanguageModel } from '../../src/model/language-model.js';
import { LanguageModelFolder } from '../support/language-model.js';
import { nemoArchive, type Vector } from '../support/nemo-archive.js';

const folder = new LanguageModelFolder();
afterAll(() => folder.remove());
const model = bundledModel();
const { pieces } = await modelVocabulary(model, {});

type Gram = [tokens: number[], log10: number, backoff?: number];
/** Order 3; -1 is `<s>`. Token 0 has no gram. */
const GRAMS: Gram[] = [
  [[-1], -99, -0.75],
  ...pieces.slice(1).map((_, i): Gram => [[i + 1], -1.5 - (i + 1) / 100, -0.25 - i / 1000]),
  [[-1, 7], -0.5, -0.125],
  [[7, 8], -0.75, -0.5],
  [[8, 9], -1, 0],
  [[9, 7], -1.25, -0.375],
  [[-1, 7, 8], -0.25],
  [[7, 8, 9], -0.125],
  [[8, 9, 7], -0.625],
];
const UNKNOWN = -4;

function arpaFile(): string {
  const word = (id: number) => (id < 0 ? '<s>' : String.fromCodePoint(id + 100));
  const ofLength = (length: number) => GRAMS.filter(([tokens]) => tokens.length === length);
  const lines = [1, 2, 3].flatMap((length) => [
    `\\${length}-grams:`,
    ...(length === 1 ? [`${UNKNOWN}\t<unk>\t0`, '-1.25\t</s>\t0'] : []),
    ...ofLength(length).map(([tokens, p, backoff]) =>
      [p, tokens.map(word).join(' '), ...(backoff === undefined ? [] : [backoff])].join('\t'),
    ),
    '',
  ]);
  const counts = [1, 2, 3].map((n) => `ngram ${n}=${ofLength(n).length + (n === 1 ? 2 : 0)}`);
  return ['\\data\\', ...counts, '', ...lines, '\\end\\', ''].join('\n');
}

const CONFIG = {
  target: 'nemo.collections.asr.parts.submodules.ngram_lm.ngram_lm_batched.FastNGramLM',
  vocab_size: pieces.length,
  max_order: 3,
  separate_bos_state: true,
  use_triton: null,
};

/** NeMo's automaton of the same grams: its states and arcs as `SuffixTreeStorage` numbers them. */
function archive(
  change: { config?: object; vectors?: (vectors: Vector[]) => void; wide?: boolean } = {},
): Buffer {
  const natural = (log10: number) => log10 * Math.LN10;
  const key = (tokens: readonly number[]) => tokens.join(' ');
  // State 0 has seen nothing, state 1 the beginning.
  const states = new Map([['', 0]]).set('-1', 1);
  const backoffs = [0, natural(-0.75)];
  const arcs: { from: number; to: number; label: number; weight: number }[] = pieces.map((_, label) => ({
    from: 0,
    to: 0,
    label,
    weight: natural(UNKNOWN),
  }));
  const sorted = [...GRAMS].sort(([a], [b]) => a.length - b.length || (key(a) < key(b) ? -1 : 1));
  for (const [tokens, p, backoff = 0] of sorted) {
    const label = tokens.at(-1) as number;
    if (label < 0) continue;
    const from = states.get(key(tokens.slice(0, -1))) as number;
    const longest = tokens.length === 3;
    const to = longest ? (states.get(key(tokens.slice(1))) as number) : backoffs.length;
    const arc = { from, to, label, weight: natural(p) };
    if (tokens.length === 1) arcs[label] = arc;
    else arcs.push(arc);
    if (longest) continue;
    states.set(key(tokens), to);
    backoffs.push(natural(backoff));
  }
  const integers = (list: number[]) =>
    change.wide ? BigInt64Array.from(list, BigInt) : Int32Array.from(list);
  // NeMo's vectors of arcs are longer by the vocabulary.
  const padded = (list: number[]) => [...list, ...pieces.map(() => 0)];
  const vectors: Vector[] = [
    {
      name: 'arcs_weights',
      values: Float32Array.from(padded(arcs.map((arc) => arc.weight))),
      parameter: true,
    },
    { name: 'backoff_weights', values: Float32Array.from(backoffs), parameter: true },
    { name: 'final_weights', values: Float32Array.from(backoffs, () => -1e9), parameter: true },
    { name: 'from_states', values: integers(padded(arcs.map((arc) => arc.from))) },
    { name: 'to_states', values: integers(padded(arcs.map((arc) => arc.to))) },
    { name: 'ilabels', values: integers(padded(arcs.map((arc) => arc.label))) },
    { name: 'start_end_arcs', values: integers(backoffs.flatMap(() => [0, 0])), columns: 2 },
  ];
  change.vectors?.(vectors);
  return nemoArchive(
    { ...CONFIG, num_states: backoffs.length, num_arcs: arcs.length, ...change.config },
    vectors,
  );
}

async function converted(name: string, content: Buffer | string): Promise<string> {
  const target = folder.file('converted.lm');
  writeFileSync(folder.file(name), content);
  await convertLanguageModel(folder.file(name), target, { model });
  return target;
}

describe("an archive of NeMo's NGPU-LM", () => {
  test.each([false, true])('gives what the ARPA file gives; numbers of 64 bits: %s', async (wide) => {
    const expected = readFileSync(await converted('tokens.arpa', arpaFile()));
    expect(readFileSync(await converted('tokens.nemo', archive({ wide }))).equals(expected)).toBe(true);
    const scores = openLanguageModel(folder.file('converted.lm'), pieces).score(Int32Array.of(7, 8, 9, 7, 0));
    const wanted = [-0.5, -0.25, -0.125, -0.625, UNKNOWN - 0.375 - 0.25 - 6 / 1000];
    scores.forEach((score, i) => {
      expect(Math.abs(score / Math.LN10 - (wanted[i] as number))).toBeLessThan(0.25);
    });
  });

  const vector = (name: string, edit: (values: Float32Array | Int32Array | BigInt64Array) => void) => ({
    vectors: (vectors: Vector[]) => {
      edit(vectors.find((one) => one.name === name)?.values ?? expect.fail(name));
    },
  });
  test.each<[string, Parameters<typeof archive>[0], RegExp]>([
    [
      'a speech model',
      { config: { target: 'nemo.EncDecRNNTBPEModel' } },
      /it is one of nemo\.EncDecRNNTBPEModel/,
    ],
    ['another vocabulary', { config: { vocab_size: 1024 } }, /one of 1024/],
    ['an order too high', { config: { max_order: 9 } }, /its max_order is 9, and 2 to 6/],
    ['more arcs than there are', { config: { num_arcs: 5000 } }, /arcs_weights has the shape/],
    ['a hostile number of states', { config: { num_states: 1e12 } }, /its num_states is 1000000000000/],
    ['no weights', { vectors: (vectors) => vectors.shift() }, /it has no arcs_weights/],
    [
      'an arc out of the states',
      vector('to_states', (values) => values.fill(90_000 as never, 515, 516)),
      /leads out/,
    ],
    ['a token that is none', vector('ilabels', (values) => values.fill(-1 as never, 3, 4)), /the token -1/],
    [
      'a probability above 1',
      vector('arcs_weights', (values) => values.fill(1 as never, 3, 4)),
      /the logarithm 1/,
    ],
    ['a circle', vector('from_states', (values) => values.fill(516 as never, 3, 4)), /no gram leads to/],
  ])('with %s is refused', async (_name, change, message) => {
    await expect(converted('bad.nemo', archive(change))).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_LANGUAGE_MODEL',
      message: expect.stringMatching(message),
    });
  });

  test('that is cut short is refused', async () => {
    await expect(converted('cut.nemo', archive().subarray(0, 9000))).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_PARAKEET_INVALID/),
    });
  });
});
