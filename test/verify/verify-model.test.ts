/**
 * The verdict on models: the bundled one passes, a copy with one weight changed does not, one of another vocabulary is held against
 * itself only. The command's side is here too, since each run hears half a minute of speech several times.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import { convertModel } from '../../src/model/convert.js';
import { readTensorIndex } from '../../src/model/safetensors.js';
import { type VerifyReport, verifyModel } from '../../src/verify/verify-model.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(path.join(tmpdir(), 'parakeet-verify-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The bundled model, to be broken. */
function copy(name: string): string {
  const folder = path.join(root, name);
  mkdirSync(folder);
  cpSync(bundledModel(), folder, { recursive: true });
  return folder;
}

/** A copy in which one number of one tensor has the other sign: the largest. */
async function withOneWeightChanged(tensor: RegExp): Promise<string> {
  const folder = copy(tensor.source.replace(/\W+/g, '-'));
  const file = path.join(folder, 'model.safetensors');
  const found = (await readTensorIndex(file)).find(({ name }) => tensor.test(name));
  if (found === undefined) throw new Error(`No tensor ${tensor}`);
  const bytes = readFileSync(file);
  // bfloat16: without its sign, a larger number has larger bits.
  const sizeAt = (offset: number) => bytes.readUInt16LE(offset) & 0x7fff;
  let at = found.offset;
  for (let other = at; other < found.offset + found.bytes; other += 2)
    if (sizeAt(other) > sizeAt(at)) at = other;
  bytes[at + 1] = (bytes[at + 1] as number) ^ 0x80;
  writeFileSync(file, bytes);
  return folder;
}

const failed = ({ checks }: VerifyReport) => checks.filter(({ passed }) => !passed).map(({ name }) => name);

function command(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'verify', ...args], {
    encoding: 'utf8',
    cwd: root,
    env: { PATH: process.env.PATH, PARAKEET_ADDON: process.env.PARAKEET_ADDON },
  });
  return { status, stdout, stderr };
}

test('the bundled model in bytes passes every check', async () => {
  const steps: string[] = [];
  const report = await verifyModel(bundledModel(), {
    dtype: 'int8',
    onStep: ({ what, done, total }) => steps.push(`${what} ${done}/${total}`),
  });
  expect(failed(report)).toEqual([]);
  expect(report).toMatchObject({ passed: true, dtype: 'int8', goldens: true });
  expect(report.checks.map(({ name }) => name).sort()).toEqual([
    'confidences',
    'dtype-frames',
    'dtype-words',
    'encoder',
    'log-mel',
    'silence-finite',
    'silence-words',
    'stream-exact',
    'stream-words',
    'tokens',
  ]);
  // Bytes are not float32: a comparison of a model with itself would say 0.
  expect(report.checks.find(({ name }) => name === 'dtype-frames')?.value).toBeGreaterThan(1e-4);
  expect(report.recordings).toHaveLength(5);
  expect(report.recordings[0]).toMatchObject({
    file: 'af_sky_10.flac',
    heard: 'He gave the sign to start.',
    wer: 0,
  });
  expect(report.wer).toBeLessThan(20);
  expect(report.realTimeFactor).toBeGreaterThan(0);
  expect(steps).toEqual(['silence 0/4', 'recordings 1/4', 'streams 2/4', 'float32 3/4']);
});

describe('a copy with one weight changed fails', () => {
  test.each([
    ['in the first layer', /^encoder\.layers\.0\.feed_forward1\.linear1\.weight$/, 'encoder'],
    ['in a convolution of the last', /^encoder\.layers\.10\.conv\.depthwise_conv\.weight$/, 'encoder'],
    ['in the joint', /^joint\.enc\.weight$/, 'confidences'],
  ] as const)('%s', async (_, tensor, name) => {
    const report = await verifyModel(await withOneWeightChanged(tensor), { dtype: 'float32' });
    expect(report.passed).toBe(false);
    expect(report.goldens).toBe(true);
    expect(failed(report)).toContain(name);
    expect(failed(report)).not.toContain('log-mel');
  });
});

test('a model of another vocabulary has no reference, and passes what it can', async () => {
  const folder = copy('other');
  const file = path.join(folder, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  config.joint.vocabulary[config.joint.vocabulary.length - 1] = 'ß';
  writeFileSync(file, JSON.stringify(config));
  const report = await verifyModel(folder, { dtype: 'float32' });
  expect(report).toMatchObject({ passed: true, goldens: false, model: folder });
  expect(report.checks.map(({ name }) => name)).toEqual([
    'stream-exact',
    'silence-finite',
    'silence-words',
    'stream-words',
  ]);
});

test('a copy converted to bytes has no reference either, in any type', async () => {
  const folder = path.join(root, 'bytes');
  await convertModel(bundledModel(), folder, { dtype: 'int8' });
  const report = await verifyModel(folder, { dtype: 'float32' });
  expect(report).toMatchObject({ passed: true, goldens: false, dtype: 'float32' });
});

test('a model that hears words in silence fails', async () => {
  const report = await verifyModel(fileURLToPath(new URL('../goldens/rnnt', import.meta.url)));
  expect(failed(report)).toContain('silence-words');
  // Its weights are random, but the engine's mathematics holds.
  expect(failed(report)).not.toContain('stream-exact');
});

test('what cannot be loaded rejects', async () => {
  await expect(verifyModel(path.join(root, 'nowhere'))).rejects.toMatchObject({
    code: 'ERR_PARAKEET_MODEL_NOT_FOUND',
  });
  await expect(verifyModel(undefined, { dtipe: 'int8' } as object)).rejects.toMatchObject({
    code: 'ERR_PARAKEET_INVALID_ARGUMENT',
  });
  for (const wrong of [null, { onStep: 1 }]) {
    await expect(verifyModel(undefined, wrong as object)).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
    });
  }
  await expect(verifyModel(undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_PARAKEET_ABORTED',
  });
});

describe('the command', () => {
  test('says what held and how fast it was, and ends with 0', () => {
    const { status, stdout, stderr } = command('--fp32', '--threads', '2');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^parakeet-tiny-en, float32; held against the reference\n/);
    expect(stdout).toMatch(/^ok {4}encoder +[\d.e-]+ {2}of at most 0\.0001/m);
    expect(stdout).toMatch(/^jfk\.flac +[\d.]+ % +[\d.]+$/m);
    expect(stdout).toMatch(/^all +[\d.]+ % +[\d.]+\n\npassed\n$/m);
  });

  test('ends with 1 for a broken model, in JSON too', async () => {
    const folder = await withOneWeightChanged(/^encoder\.layers\.5\.feed_forward2\.linear2\.weight$/);
    const { status, stdout } = command('--json', '--dtype', 'float32', folder);
    expect(status).toBe(1);
    const report = JSON.parse(stdout) as VerifyReport;
    expect(report.passed).toBe(false);
    expect(failed(report)).toContain('encoder');
  });

  test('takes one model', () => {
    expect(command('a', 'b')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/too many arguments/),
    });
    expect(command('nowhere')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/MODEL_NOT_FOUND/),
    });
  });
});
