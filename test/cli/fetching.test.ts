/** What the command shows while a model is fetched from the hub, and how it ends. Against a hub of our own on this machine. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import { fakeTerminal as terminal } from '../support/command-line.js';
import { expectWhole, hubCase } from '../support/hub-case.js';
import { COMMIT, REPO } from '../support/hub-server.js';

const at = hubCase();
const { hub } = at;
const recording = fileURLToPath(new URL('../audio/am_michael_05.flac', import.meta.url));

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

const pull = ['models', 'pull', REPO];
const slow = () => {
  hub.faults = { slow: 20 };
};
const busy = () => {
  hub.faults.busy = { times: 1, headers: { 'Retry-After': '60' } };
};

describe.each([
  ['a download', slow, /% model\.safetensors/],
  ['the wait for a busy hub', busy, /next attempt in 1:00.*next attempt in 0:59/s],
] as const)('the first request to end ends %s', (_, fault, shows) => {
  test.each([
    ['SIGINT', 130, pull],
    ['SIGTERM', 143, ['transcribe', recording, '--model', REPO]],
    ['SIGHUP', 129, ['live', '--model', REPO]],
    ['SIGINT', 130, ['verify', REPO]],
  ] as const)('%s: %i of %j', async (name, code, args) => {
    fault();
    const { terminal: here, stdin, signal, shown } = terminal();
    stdin.isTTY = false;
    let screen = '';
    let asked = false;
    const watch = setInterval(() => {
      screen += shown();
      if (asked || !(args[0] === 'verify' ? hub.requests.length > 0 : shows.test(screen))) return;
      asked = true;
      signal(name);
    }, 20);
    try {
      expect(await run([...args, '--cache-dir', at.cacheDir], here)).toBe(code);
    } finally {
      clearInterval(watch);
    }
    expect(screen + shown()).not.toContain('ERR_');
  });
});

test('a hub that stays busy is named with its code', async () => {
  hub.faults.busy = { times: 9, headers: { 'Retry-After': '0' } };
  const { terminal: here, shown } = terminal(false);
  expect(await run(['models', 'pull', REPO, '--cache-dir', at.cacheDir], here)).toBe(1);
  expect(shown()).toMatch(/ERR_PARAKEET_HUB_BUSY/);
});
