/**
 * The engine's life: one per process, however its environments come and go. Each case is a process of its own, on the built
 * package; what must hold is that it ends as it was asked to: no signal, no hang.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { goldenFolder } from './support/goldens.js';

const folder = goldenFolder('tdt');
const bundled = fileURLToPath(new URL('../models/parakeet-tiny-en', import.meta.url));

async function run(script: string, ...options: string[]) {
  const file = fileURLToPath(new URL(`./support/${script}.mjs`, import.meta.url));
  const child = spawn(process.execPath, [file, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [[code, signal], out, err] = await Promise.all([
    once(child, 'close') as Promise<[number | null, string | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  clearTimeout(timer);
  return { code, signal, out, err };
}

describe('process.exit() gives the code it was called with', () => {
  test.each([
    ['while a model loads', 'load', bundled, 12, 80],
    ['in the middle of a recording', 'transcribe', folder, 13, 120],
    ['in the middle of a step', 'stream', folder, 15, 120],
    ['in the middle of a step of a worker thread', 'worker', folder, 10, 60],
  ])('%s', async (_name, what, model, times, longest) => {
    // Two at a time; their moments are spread evenly, and differ from run to run by what the machine does.
    const ends: unknown[] = [];
    const moments = Array.from({ length: times }, (_, i) =>
      Math.round((longest * (i + Math.random())) / times),
    );
    const loop = async () => {
      for (let at = moments.pop(); at !== undefined; at = moments.pop()) {
        const { code, signal, err } = await run('exit-in-step', model, what, String(at), String(100 + at));
        ends.push({ at, code: (code ?? 0) - at, signal, err });
      }
    };
    await Promise.all([loop(), loop()]);
    expect(ends).toHaveLength(times);
    for (const end of ends) expect(end).toMatchObject({ code: 100, signal: null, err: '' });
  });
});

test('a hundred worker threads, ten at a time, load a model, run it and end; some are terminated in the middle of a step', async () => {
  const { code, signal, out, err } = await run('workers', folder);
  expect(err).toBe('');
  expect(out.trim().split('\n')).toEqual(
    Array.from({ length: 100 }, (_, index) => (index % 3 === 1 ? `${index} cut` : `${index} done 0`)),
  );
  expect({ code, signal }).toEqual({ code: 0, signal: null });
});
