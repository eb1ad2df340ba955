// Hugging Face transformers' layout, against what transformers itself computed.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadModel } from '../../../src/index.js';
import { maxDifference } from '../../support/goldens.js';
import type { Json } from '../../support/model-folder.js';
import { readSafetensors } from '../../support/safetensors.js';

const goldens = path.join(import.meta.dirname, '..', '..', 'goldens');
const root = mkdtempSync(path.join(tmpdir(), 'parakeet-transformers-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PIECES = Array.from({ length: 47 }, (_, id) => (id === 0 ? '<unk>' : id === 1 ? '▁' : `▁p${id}`));
let count = 0;

/** A copy of the golden model with a tokenizer, whose JSON files a test may break; a file that is `null` is removed. */
function folder(name: string, files: Record<string, Json> = {}): string {
  const copy = path.join(root, String(count++));
  cpSync(path.join(goldens, name), copy, { recursive: true });
  const all = {
    'tokenizer.json': { model: { type: 'Unigram', vocab: PIECES.map((p, i) => [p, -i]) } },
    ...files,
  };
  for (const [file, content] of Object.entries(all)) {
    if (content === null) rmSync(path.join(copy, file), { force: true });
    else writeFileSync(path.join(copy, file), Buffer.isBuffer(content) ? content : JSON.stringify(content));
  }
  return copy;
}

const json = (name: string, file = 'config.json'): Json =>
  JSON.parse(readFileSync(path.join(goldens, name, file), 'utf8'));

describe.each(['transformers-tdt', 'transformers-ctc'])('%s', (name) => {
  const golden = readSafetensors(path.join(goldens, name, 'short.safetensors'));
  const array = (key: string) => {
    const tensor = golden.get(key);
    if (!tensor) throw new Error(key);
    return tensor;
  };

  test('encoder frames within 1e-4 of transformers, log-mel features within 1e-3', async () => {
    await using model = await loadModel(folder(name), { dtype: 'float32' });
    const features = array('features');
    const encoded = await model.native.encode(features.data, features.shape[0] as number, [-1, -1], 0);
    expect([encoded.rows, encoded.columns]).toEqual(array('encoded').shape);
    expect(maxDifference(encoded.data, array('encoded').data)).toBeLessThanOrEqual(1e-4);
    const mel = await model.native.logMel(array('audio').data);
    const own = await model.native.normalize(mel.data, mel.rows);
    expect(maxDifference(own.data, features.data.subarray(0, own.data.length))).toBeLessThanOrEqual(2e-3);
  });

  test('the vocabulary, and a transcript that runs', async () => {
    await using model = await loadModel(folder(name), { dtype: 'float32' });
    expect(model.info.vocabulary).toEqual(PIECES);
    expect(model.info.architecture).toBe(name === 'transformers-tdt' ? 'tdt' : 'ctc');
    expect((await model.transcribe(array('audio').data)).sentences).toBeInstanceOf(Array);
  });
});

test('greedy tokens of CTC as transformers gives them', async () => {
  const name = 'transformers-ctc';
  const golden = readSafetensors(path.join(goldens, name, 'short.safetensors'));
  const encoded = golden.get('encoded');
  await using model = await loadModel(folder(name), { dtype: 'float32' });
  const tokens = await model.native.decode(encoded?.data ?? new Float32Array(), 33, { head: 'ctc' }, 0);
  expect([...tokens.ids]).toEqual(json(name, 'short.json').ctc_greedy);
});

test('a BPE tokenizer with added tokens, and the settings inside processor_config.json', async () => {
  const vocab = Object.fromEntries(PIECES.slice(1).map((piece, id) => [piece, id + 1]));
  const at = folder('transformers-tdt', {
    'tokenizer.json': { model: { type: 'BPE', vocab }, added_tokens: [{ id: 0, content: '<unk>' }] },
    'preprocessor_config.json': null,
    'processor_config.json': { feature_extractor: json('transformers-tdt', 'preprocessor_config.json') },
  });
  await using model = await loadModel(at);
  expect(model.info.vocabulary).toEqual(PIECES);
});

describe('says what is wrong', () => {
  const broken = (change: (config: Json) => void) => {
    const config = json('transformers-tdt');
    change(config);
    return { 'config.json': config };
  };
  test.each<[string, Record<string, Json>, string, RegExp]>([
    [
      'no tokenizer',
      { 'tokenizer.json': null },
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      /tokenizer\.json or tokenizer\.model/,
    ],
    [
      'a piece too few',
      { 'tokenizer.json': { model: { vocab: { a: 0 } } } },
      'ERR_PARAKEET_INVALID_CONFIG',
      /id 1/,
    ],
    [
      'no settings of the front end',
      { 'preprocessor_config.json': null },
      'ERR_PARAKEET_MODEL_NOT_FOUND',
      /preprocessor_config/,
    ],
    [
      'half the settings',
      { 'preprocessor_config.json': { sampling_rate: 16000 } },
      'ERR_PARAKEET_INVALID_CONFIG',
      /'win_length'/,
    ],
    [
      'another model',
      broken((c) => (c.model_type = 'whisper')),
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      /'whisper'/,
    ],
    ['the blank elsewhere', broken((c) => (c.blank_token_id = 3)), 'ERR_PARAKEET_UNSUPPORTED_MODEL', /blank/],
    ['no encoder', broken((c) => delete c.encoder_config), 'ERR_PARAKEET_INVALID_CONFIG', /encoder_config/],
    [
      'grouped attention',
      broken((c) => (c.encoder_config.num_key_value_heads = 2)),
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      /num_key_value_heads/,
    ],
    [
      'another width',
      broken((c) => (c.decoder_hidden_size = 40)),
      'ERR_PARAKEET_INVALID_WEIGHTS',
      /Expected tensor .* but found/,
    ],
    [
      'JSON that does not parse',
      { 'tokenizer.json': Buffer.from('{') },
      'ERR_PARAKEET_INVALID_CONFIG',
      /does not parse/,
    ],
  ])('%s', async (_, files, code, message) => {
    await expect(loadModel(folder('transformers-tdt', files))).rejects.toMatchObject({
      name: 'ModelError',
      code,
      message: expect.stringMatching(message),
    });
  });
});
