/** Text files as words and lines: any pieces give the same, bytes that are no text are refused, memory is bounded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { linesOf, type TextSource, wordsOf } from '../../src/lm/text.js';

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-text-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function all(
  read: (text: TextSource) => AsyncGenerator<string[]>,
  text: TextSource,
): Promise<string[]> {
  const found: string[] = [];
  for await (const some of read(text)) found.push(...some);
  return found;
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('words and lines do not depend on the pieces that the bytes come in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'Größe', '🦜', ' ', '\n', '\t', '\r\n', 'the', '\u0085', '\u2028'), {
        maxLength: 40,
      }),
      fc.integer({ min: 1, max: 9 }),
      async (parts, size) => {
        const text = parts.join('');
        const bytes = new TextEncoder().encode(text);
        expect(await all(wordsOf, cut(bytes, size))).toEqual(
          text.split(/\s+/u).filter((word) => word !== ''),
        );
        const lines = text.replace(/\n$/, '').split('\n');
        expect(await all(linesOf, cut(bytes, size))).toEqual(text === '' ? [] : lines);
      },
    ),
  );
});

test('a file that is not UTF-8, is not there, or has no spaces is refused with its name', async () => {
  const file = path.join(folder, 'latin1.txt');
  writeFileSync(file, Buffer.from('The caf\xe9 was open.', 'latin1'));
  const invalid = (message: RegExp) =>
    expect.objectContaining({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  await expect(all(wordsOf, file)).rejects.toEqual(invalid(/UTF-8 text in .*latin1\.txt/));
  await expect(all(wordsOf, cut(Buffer.from([0xe2, 0x82]), 1))).rejects.toEqual(invalid(/UTF-8/));
  await expect(all(wordsOf, path.join(folder, 'none.txt'))).rejects.toEqual(invalid(/none\.txt .*ENOENT/));
  let given = 0;
  async function* endless() {
    for (;;) {
      given += 1 << 16;
      yield new Uint8Array(1 << 16).fill(0x61);
    }
  }
  await expect(all(wordsOf, endless())).rejects.toEqual(invalid(/a word of more than/));
  expect(given).toBeLessThan(1 << 22);
});
