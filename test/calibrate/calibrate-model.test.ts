// Calibrating a model, by the library and by the command, with recordings whose words are known.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { calibrateModel } from '../../src/calibrate/calibrate-model.js';
import { readReferences } from '../../src/calibrate/references.js';
import { loadModel } from '../../src/load-model.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const audio = fileURLToPath(new URL('../audio', import.meta.url));
const bundled = fileURLToPath(new URL('../../models/parakeet-tiny-en', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-calibrate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = readFileSync(path.join(audio, 'transcripts.tsv'), 'utf8').trimEnd().split('\n');
const columns = rows[0]?.split('\t') ?? [];
const said = rows.slice(1).map((row) => {
  const cells = row.split('\t');
  return { file: cells[columns.indexOf('file')] ?? '', text: cells[columns.indexOf('transcript')] ?? '' };
});

/** The bundled model without calibration and language model. */
function bareModel(name: string): string {
  const own = path.join(folder, name);
  mkdirSync(own);
  for (const file of ['config.json', 'model.safetensors', 'streaming.json'])
    cpSync(path.join(bundled, file), path.join(own, file));
  return own;
}

/** A folder with the recordings, each beside its text. */
function pairs(name: string, some = said): string {
  const own = path.join(folder, name);
  mkdirSync(own);
  for (const { file, text } of some) {
    cpSync(path.join(audio, file), path.join(own, file));
    writeFileSync(path.join(own, `${path.parse(file).name}.txt`), text);
  }
  return own;
}

describe('references', () => {
  test('are sound files beside their texts', async () => {
    const some = said.slice(0, 2);
    const own = pairs('two', some);
    writeFileSync(path.join(own, 'README.md'), 'no recording');
    writeFileSync(path.join(own, 'README.txt'), 'of no recording');
    const found = await readReferences(own);
    expect(found).toHaveLength(2);
    expect(found).toEqual(
      expect.arrayContaining(some.map(({ file, text }) => ({ audio: path.join(own, file), text }))),
    );
  });

  test("or a manifest as NeMo's, with paths from its folder on", async () => {
    const manifest = path.join(folder, 'manifest.jsonl');
    writeFileSync(manifest, '{"audio_filepath":"a/b.wav","text":"one two","duration":3}\n\n');
    expect(await readReferences(manifest)).toEqual([
      { audio: path.join(folder, 'a', 'b.wav'), text: 'one two' },
    ]);
  });

  test.each([
    ['a line that is no JSON', '{"audio_filepath":'],
    ['a line without a text', '{"audio_filepath":"a.wav"}'],
    ['nothing', ''],
  ])('with %s are refused', async (_name, content) => {
    const manifest = path.join(folder, 'bad.jsonl');
    writeFileSync(manifest, content);
    await expect(readReferences(manifest)).rejects.toMatchObject({ code: 'ERR_PARAKEET_INVALID_ARGUMENT' });
  });
});

describe('calibrating', () => {
  test('writes what loadModel reads, and makes probabilities of confidences', async () => {
    const own = bareModel('library');
    const seen: number[] = [];
    const { file, heads } = await calibrateModel(own, {
      references: said.map(({ file: name, text }) => ({ audio: path.join(audio, name), text })),
      onProgress: ({ done }) => seen.push(done),
    });
    expect(file).toBe(path.join(own, 'confidence.json'));
    expect(seen).toEqual(said.map((_, i) => i + 1));
    for (const head of ['tdt', 'ctc'] as const) {
      const { error, right, words } = heads[head] ?? expect.fail(head);
      expect(words).toBeGreaterThan(100);
      expect(right).toBeGreaterThan(0.5);
      // On the recordings that were not used; few words make it large.
      expect(error.calibrated).toBeLessThan(error.measured / 1.5);
    }
    await using model = await loadModel(own);
    const { measure, scale, offset } = heads.tdt ?? expect.fail('tdt');
    expect(model.info.calibrations?.tdt).toEqual({ measure, scale, offset });
    // The least sure of all words are no longer at 0.9.
    const { sentences } = await model.transcribe(path.join(audio, said[0]?.file ?? ''));
    const words = sentences.flatMap((sentence) => sentence.words);
    expect(Math.min(...words.map(({ confidence }) => confidence))).toBeLessThan(0.8);
  });

  test('by the command', () => {
    const own = bareModel('command');
    const calibrate = (...args: string[]) => {
      const env = { PATH: process.env.PATH, HF_ENDPOINT: 'http://127.0.0.1:9' };
      return spawnSync(process.execPath, [main, 'models', 'calibrate', ...args], { env, encoding: 'utf8' });
    };
    const { status, stdout, stderr } = calibrate(own, '--references', pairs('all'), '--json');
    expect([status, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ heads: { tdt: { measure: 'entropy' }, ctc: {} } });
    expect(JSON.parse(readFileSync(path.join(own, 'confidence.json'), 'utf8'))).toMatchObject({
      heads: { tdt: { measure: 'entropy' } },
    });
    expect(calibrate(own)).toMatchObject({ status: 2, stderr: expect.stringContaining('--references') });
    expect(calibrate(own, '--references', path.join(folder, 'none'))).toMatchObject({ status: 1 });
  });

  test('needs a folder to write to, and some words', async () => {
    await expect(calibrateModel('someone/model', { references: [] })).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringContaining('folder'),
    });
    const [first] = said;
    const references = [{ audio: path.join(audio, first?.file ?? ''), text: first?.text ?? '' }];
    await expect(calibrateModel(bundled, { references })).rejects.toMatchObject({
      message: expect.stringContaining('100 words'),
    });
  });
});

describe("the bundled model's calibration", () => {
  test('is off by at most 0.05 on the voices that it was not made from', () => {
    const { results } = JSON.parse(
      readFileSync(new URL('../../bench/results/confidence.json', import.meta.url), 'utf8'),
    ) as {
      results: {
        ways: { name: string; error: { entropy: number; calibrated: { unused: number; set0: number } } }[];
      };
    };
    for (const { name, error } of results.ways) {
      expect(error.calibrated.unused, name).toBeLessThanOrEqual(0.05);
      expect(error.entropy, name).toBeGreaterThan(0.1);
      // Set 0 is the real recordings.
      if (name !== 'ctc') expect(error.calibrated.set0, name).toBeLessThanOrEqual(0.05);
    }
  });
});
