/**
 * However a stream ends, the process that ran it ends by itself: no live handle, no unhandled rejection. On the built package.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('after an end, broken input, a break, an abort, destroy, and errors of sink and model', async () => {
  const script = fileURLToPath(new URL('./support/ends.mjs', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [[code, signal], out, err] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ]);
  clearTimeout(timer);
  expect(err).toBe('');
  expect(out.trim().split('\n')).toEqual([
    expect.stringMatching(/^end \S+/),
    'cut ERR_PARAKEET_INVALID_AUDIO',
    'break',
    'abort ERR_PARAKEET_ABORTED',
    'destroy enough',
    'sink disk full',
    'model ERR_PARAKEET_MODEL_NOT_FOUND',
  ]);
  expect({ code, signal }).toEqual({ code: 0, signal: null });
});
