// NVIDIA's archives: as PyTorch writes them (test/fixtures/nemo/make.py), and broken in every way that a reader may meet.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { loadModel, ParakeetError } from '../../../src/index.js';
import { joinedAcrossBlanks } from '../../support/across-blanks.js';
import { goldenArray, maxDifference, readGolden } from '../../support/goldens.js';
import { readConfigOf } from '../../support/model-folder.js';
import { frameTokens } from '../../support/native-stream.js';

const fixtures = path.join(import.meta.dirname, '..', '..', 'fixtures', 'nemo');
const root = mkdtempSync(path.join(tmpdir(), 'parakeet-nemo-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
function put(content: Buffer): string {
  const file = path.join(root, `${count++}.nemo`);
  writeFileSync(file, content);
  return file;
}
const archive = (name: string) => readFileSync(path.join(fixtures, `${name}.nemo`));
const unpacked = () => readdirSync(tmpdir()).filter((name) => /^parakeet-nemo-\w{6}$/.test(name));

/** The archive with a text replaced by one of the same length; tar's checksums are of the headers alone. */
function replaced(
  name: string,
  from: string,
  to: string,
  which: 'indexOf' | 'lastIndexOf' = 'indexOf',
): Buffer {
  const content = archive(name);
  const at = content[which](from);
  expect(at).toBeGreaterThan(0);
  expect(to.length).toBe(from.length);
  content.write(to, at, 'latin1');
  return content;
}

describe.each(['tdt', 'ctc'] as const)('%s.nemo', (name) => {
  const golden = readGolden(name, 'short');

  test.each([
    ['as it is', () => path.join(fixtures, `${name}.nemo`)],
    ['compressed', () => put(gzipSync(archive(name), { level: 1 }))],
  ])('%s: encoder frames and tokens are the golden ones', async (_, file) => {
    await using model = await loadModel(file(), { dtype: 'float32' });
    const { shape, data } = goldenArray(golden, 'features');
    const encoded = await model.native.encode(data, shape[0] as number, [-1, -1], 0);
    expect(maxDifference(encoded.data, goldenArray(golden, 'encoded').data)).toBeLessThanOrEqual(1e-4);
    const frames = goldenArray(golden, 'encoded');
    const tokens = await model.native.decode(frames.data, frames.shape[0] as number, { head: name }, 0);
    const heard = name === 'ctc' ? joinedAcrossBlanks(frameTokens(tokens)) : frameTokens(tokens);
    expect(heard.map(({ id }) => id)).toEqual(
      golden.tokens[name === 'ctc' ? 'ctc_greedy' : 'greedy']?.map(({ id }) => id),
    );
    const config = readConfigOf(name);
    expect(model.info.vocabulary).toEqual((config.joint ?? config.decoder).vocabulary);
    expect(unpacked()).toEqual([]);
  });
});

describe('says what is wrong', () => {
  const tdt = archive('tdt');
  test.each<[string, () => Buffer, string, RegExp]>([
    ['an empty file', () => Buffer.alloc(0), 'ERR_PARAKEET_INVALID_WEIGHTS', /it has no files/],
    [
      'a text',
      () => Buffer.from('hello '.repeat(200)),
      'ERR_PARAKEET_INVALID_WEIGHTS',
      /no tar header at byte 0/,
    ],
    ['cut in the weights', () => tdt.subarray(0, 900_000), 'ERR_PARAKEET_INVALID_WEIGHTS', /cut short/],
    [
      'compressed and cut',
      () => gzipSync(tdt).subarray(0, 9000),
      'ERR_PARAKEET_INVALID_WEIGHTS',
      /does not unpack/,
    ],
    [
      'no weights',
      () => tdt.subarray(0, tdt.indexOf('./model_weights.ckpt')),
      'ERR_PARAKEET_INVALID_WEIGHTS',
      /it has no model_weights\.ckpt \(there is model_config\.yaml\)/,
    ],
    [
      'weights that run a program',
      () => replaced('tdt', 'ccollections\nOrderedDict\n', 'cos\nsystem_with_a_tail__\n'),
      'ERR_PARAKEET_INVALID_WEIGHTS',
      /names os\.system_with_a_tail__, which is not a part of weights: refused/,
    ],
    [
      'a storage that is not there',
      () => replaced('tdt', 'archive/data/0', 'archive/data/x', 'lastIndexOf'),
      'ERR_PARAKEET_INVALID_WEIGHTS',
      /lies in a file that is not there/,
    ],
    [
      'a configuration that is no YAML',
      () => replaced('tdt', 'preprocessor:', '"preprocesso:'),
      'ERR_PARAKEET_INVALID_CONFIG',
      /does not parse/,
    ],
    [
      'another model',
      () => replaced('tdt', 'EncDecRNNTBPEModel', 'EncDecXXXXBPEModel'),
      'ERR_PARAKEET_UNSUPPORTED_MODEL',
      /'target'.*model_config\.yaml/,
    ],
  ])('%s', async (_, content, code, message) => {
    await expect(loadModel(put(content()))).rejects.toMatchObject({
      name: 'ModelError',
      code,
      message: expect.stringMatching(message),
    });
    expect(unpacked()).toEqual([]);
  });

  test('any broken byte outside the numbers gives a model or a typed error', async () => {
    const source = archive('ctc');
    // The headers, the configuration and the description are where a byte means something.
    const end = source.indexOf('archive/data/0');
    const file = path.join(root, 'broken.nemo');
    cpSync(path.join(fixtures, 'ctc.nemo'), file);
    await fc.assert(
      fc.asyncProperty(fc.nat(end - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const content = Buffer.from(source);
        content[at] = (content[at] as number) ^ change;
        writeFileSync(file, content);
        try {
          await (await loadModel(file)).close();
        } catch (error) {
          expect(error).toBeInstanceOf(ParakeetError);
        }
      }),
      { numRuns: 60 },
    );
  });
});
