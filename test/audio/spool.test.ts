/** Bytes that wait in a temporary file: with a name, as on Windows, and without one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Spool } from '../../src/audio/ffmpeg/spool.js';

let folder: string;
const before = process.env.TMPDIR;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-spool-test-'));
  process.env.TMPDIR = folder;
});
afterEach(() => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  rmSync(folder, { recursive: true, force: true });
});

describe.each([true, false])('with a name: %s', (named) => {
  test('what was written is read from the beginning', async () => {
    const spool = new Spool(100, named);
    await spool.write(Buffer.from('sound '));
    await spool.write(Buffer.from('of a film'));
    const file = await spool.finish();
    expect(typeof file).toBe(named ? 'string' : 'number');
    expect(readFileSync(file as number | string, 'utf8')).toBe('sound of a film');
    await spool.remove();
  });

  test('nothing remains of it when it is removed', async () => {
    const spool = new Spool(100, named);
    await spool.write(Buffer.from('sound'));
    expect(readdirSync(folder)).toHaveLength(named ? 1 : 0);
    await spool.remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('nothing was written: no file', async () => {
    const spool = new Spool(100, named);
    expect(await spool.finish()).toBeUndefined();
    await spool.remove();
  });

  test('more than it may take is refused', async () => {
    const spool = new Spool(4, named);
    await expect(spool.write(Buffer.from('sound'))).rejects.toMatchObject({
      code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT',
    });
    await spool.remove();
  });
});
