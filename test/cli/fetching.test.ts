/** What the command shows while a model is fetched from the hub, and how it ends. Against a hub of our own on this machine. */
import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { expectWhole, hubCase } from '../support/hub-case.js';
import { COMMIT, REPO } from '../support/hub-server.js';

const at = hubCase();
const { hub } = at;
const recording = fileURLToPath(new URL('../audio/am_michael_05.flac', import.meta.url));

/** A terminal for a command: what it writes, and a Ctrl-C. */
function terminal(isTTY = true) {
  const stream = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 80 });
  const [stdout, stderr] = [stream(), stream()];
  const process = Object.assign(new EventEmitter(), { stdin: stream(), stdout, stderr, env: {} });
  return {
    terminal: process as unknown as Terminal,
    interrupt: () => process.emit('SIGINT'),
    said: () => (stdout.read() as string | null) ?? '',
    shown: () => (stderr.read() as string | null) ?? '',
  };
}

test('models pull draws a bar that grows, then names the folder', async () => {
  hub.faults = { slow: 5 };
  const { terminal: here, said, shown } = terminal();
  expect(await run(['models', 'pull', REPO, '--cache-dir', at.cacheDir], here)).toBe(0);
  expectWhole(at.root);
  expect(said()).toBe(`${path.join(at.root, 'snapshots', COMMIT)}\n`);
  const screen = shown();
  const parts = [...screen.matchAll(/(\d+) % model\.safetensors/g)].map(([, percent]) => Number(percent));
  expect(parts.length).toBeGreaterThan(3);
  expect(parts).toEqual([...parts].sort((a, b) => a - b));
  expect(parts.at(-1)).toBe(100);
  expect(screen.endsWith('\r\x1b[2K')).toBe(true);
});

test('models pull in a pipe draws nothing', async () => {
  const { terminal: here, shown } = terminal(false);
  expect(await run(['models', 'pull', REPO, '--cache-dir', at.cacheDir], here)).toBe(0);
  expect(shown()).toBe('');
});

test('transcribe shows how far its model is', async () => {
  const { terminal: here, shown } = terminal();
  const args = ['--model', REPO, '--cache-dir', at.cacheDir, '--output-dir', at.cacheDir, recording];
  expect(await run(['transcribe', ...args], here)).toBe(0);
  expect(shown()).toMatch(/100 % model\.safetensors/);
  expect(existsSync(path.join(at.cacheDir, 'am_michael_05.srt'))).toBe(true);
});

test('Ctrl-C ends the wait for a busy hub', async () => {
  hub.faults.busy = { times: 1, headers: { 'Retry-After': '60' } };
  const { terminal: here, interrupt } = terminal();
  setTimeout(interrupt, 300);
  const begun = Date.now();
  expect(await run(['models', 'pull', REPO, '--cache-dir', at.cacheDir], here)).toBe(130);
  expect(Date.now() - begun).toBeLessThan(10_000);
});

test('a hub that stays busy is named with its code', async () => {
  hub.faults.busy = { times: 9, headers: { 'Retry-After': '0' } };
  const { terminal: here, shown } = terminal(false);
  expect(await run(['models', 'pull', REPO, '--cache-dir', at.cacheDir], here)).toBe(1);
  expect(shown()).toMatch(/ERR_PARAKEET_HUB_BUSY/);
});
