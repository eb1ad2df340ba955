/** How long a recording is, as its header says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { audioLength } from '../../src/cli/audio-length.js';
import { wavFile } from '../support/wav-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-length-'));
afterAll(() => rmSync(folder, { recursive: true }));
const jfk = fileURLToPath(new URL('../audio/jfk.flac', import.meta.url));

function wav(name: string, spec: Parameters<typeof wavFile>[1] = {}): string {
  const file = path.join(folder, name);
  writeFileSync(
    file,
    wavFile([new Float32Array(24_000), new Float32Array(24_000)], { sampleRate: 8000, ...spec }),
  );
  return file;
}

test('of FLAC and WAV, and of the part that is heard', async () => {
  expect(await audioLength(jfk, {})).toBeCloseTo(11, 3);
  expect(await audioLength(wav('a.wav'), {})).toBe(3);
  expect(await audioLength(wav('b.wav', { between: [['LIST', Buffer.alloc(31)]], bits: 24 }), {})).toBe(3);
  expect(await audioLength(jfk, { start: 4 })).toBeCloseTo(7, 3);
  expect(await audioLength(jfk, { start: 4, duration: 2 })).toBe(2);
  expect(await audioLength(jfk, { start: 40 })).toBe(0);
});

test('a header that lies does not make it longer than the file', async () => {
  expect(await audioLength(wav('c.wav', { dataSize: 0xffff_ffff }), {})).toBeCloseTo(3, 2);
  expect(await audioLength(wav('d.wav', { dataSize: 0 }), {})).toBeCloseTo(3, 2);
});

test('is not known of anything else', async () => {
  writeFileSync(path.join(folder, 'e.mp3'), Buffer.from('ID3, and what follows'));
  writeFileSync(path.join(folder, 'f.wav'), 'RIFF');
  for (const input of [path.join(folder, 'e.mp3'), path.join(folder, 'f.wav'), '-', 'nowhere', folder])
    expect(await audioLength(input, {})).toBeUndefined();
});
