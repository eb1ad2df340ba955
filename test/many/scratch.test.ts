/** Files that a worker needs for a while are gone when they are removed. */
import { pbkdf2 } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeTo, fetchTo } from '../../src/many/samples/scratch.js';
import { openContent } from '../../src/many/source/content.js';
import { wavFile } from '../support/wav-file.js';

const RATE = 16_000;
const sound = wavFile([new Float32Array(RATE), new Float32Array(RATE)], { sampleRate: RATE });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-scratch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Keeps the threads busy that open files, so that a file is still being opened when its writer is stopped. */
const occupied = () =>
  Promise.all(Array.from({ length: 6 }, () => promisify(pbkdf2)('', '', 10_000, 64, 'sha512')));

test.each([
  ['decoded', decodeTo],
  [
    'fetched',
    async (file, recording, { signal }) => fetchTo(file, await openContent(recording), () => {}, signal),
  ],
] satisfies [string, typeof decodeTo][])(
  'a file that was being %s stays removed, whenever that was stopped',
  async (_, write) => {
    const recording = path.join(folder, 'talk.wav');
    writeFileSync(recording, sound);
    const files: string[] = [];
    for (let turns = 0; turns < 40; turns++) {
      const file = path.join(folder, `${turns}.f32`);
      files.push(file);
      const stop = new AbortController();
      const busy = turns % 2 === 0 ? occupied() : undefined;
      const written = write(file, recording, { rate: RATE, input: {}, signal: stop.signal }).catch(() => {});
      for (let i = 0; i < turns; i++) await new Promise(setImmediate);
      stop.abort();
      await written;
      rmSync(file, { force: true });
      await busy;
    }
    await delay(50);
    expect(files.filter((file) => existsSync(file))).toEqual([]);
  },
);
