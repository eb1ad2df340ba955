// Several processes and one cache: at once, and one after another that was killed. Each is a real process.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fetchFromHub } from '../../src/hub/hub.js';
import { expectNoWeights, expectWhole, hubCase } from '../support/hub-case.js';
import { BLOBS, REPO, sha256, WEIGHTS } from '../support/hub-server.js';

const at = hubCase();
const { hub } = at;
const script = fileURLToPath(new URL('../support/fetch-from-hub.mjs', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function begin(): { child: ChildProcess; answer: Promise<string> } {
  const child = spawn(process.execPath, [script, REPO, at.cacheDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env },
  });
  children.push(child);
  return { child, answer: text(child.stdout) };
}

const incomplete = () =>
  readdirSync(path.join(at.root, 'blobs')).filter((name) => name.endsWith('.incomplete'));
const blob = (name: string) => path.join(at.root, 'blobs', name);

/** Until so many processes have so many bytes of the weights on the disk. */
async function untilOnDisk(bytes: number, processes = 1): Promise<void> {
  await vi.waitFor(
    () => {
      const there = incomplete().filter((name) => statSync(blob(name)).size >= bytes);
      expect(there.length).toBeGreaterThanOrEqual(processes);
    },
    { interval: 20, timeout: 20_000 },
  );
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

describe('two processes at once', () => {
  test('both get the whole model, and leave nothing else', async () => {
    hub.faults = { together: 2 };
    const both = [begin(), begin()];
    const [one, other] = await Promise.all(both.map(({ answer }) => answer));
    expect(one).toContain('"folder"');
    expect(other).toBe(one);
    expectWhole(at.root);
  });

  test('one that finds the other at work does not take its file', async () => {
    hub.faults = { stallAt: 300_000 };
    const stalled = begin();
    await untilOnDisk(300_000);
    hub.faults = {};
    await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    expect(hub.weightGets.map(({ range }) => range)).toEqual(['', '']);
    expect(incomplete()).toHaveLength(1);
    await kill(stalled.child);
  });
});

describe('a process that is killed in the middle', () => {
  test('is followed by one that goes on where it was', async () => {
    hub.faults = { stallAt: 300_000 };
    const { child } = begin();
    await untilOnDisk(300_000);
    await kill(child);
    expectNoWeights(at.root);

    hub.reset();
    expect(await begin().answer).toContain('"folder"');
    expect(hub.weightGets.map(({ range }) => range)).toEqual([`bytes=300000-${WEIGHTS.length - 1}`]);
    expectWhole(at.root);
  });

  test('twice leaves nothing behind in the end', async () => {
    hub.faults = { stallAt: 200_000 };
    const first = begin();
    await untilOnDisk(200_000);
    const second = begin();
    await untilOnDisk(200_000, 2);
    await Promise.all([kill(first.child), kill(second.child)]);
    hub.reset();
    await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    expectWhole(at.root);
  });

  test('on another machine is known by its silence', async () => {
    // What a machine that shares the cache has on the disk: a part of the weights, under a name of its own.
    const theirs = `${sha256(WEIGHTS)}.parakeet-00000000-1-00000000.incomplete`;
    mkdirSync(path.join(at.root, 'blobs'), { recursive: true });
    writeFileSync(blob(theirs), WEIGHTS.subarray(0, 400_000));

    // It may be at work: left alone.
    await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    expect(hub.weightGets.map(({ range }) => range)).toEqual(['']);
    expect(incomplete()).toEqual([theirs]);

    // It has not written for a long time: taken over.
    rmSync(blob(sha256(WEIGHTS)));
    rmSync(path.join(at.root, 'snapshots'), { recursive: true });
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(blob(theirs), longAgo, longAgo);
    hub.reset();
    await fetchFromHub(REPO, { cacheDir: at.cacheDir });
    expect(hub.weightGets.map(({ range }) => range)).toEqual([`bytes=400000-${WEIGHTS.length - 1}`]);
    expectWhole(at.root);
  });
});

test('what another library has begun is left to it', async () => {
  const theirs = `${sha256(WEIGHTS)}.incomplete`;
  mkdirSync(path.join(at.root, 'blobs'), { recursive: true });
  writeFileSync(blob(theirs), WEIGHTS.subarray(0, 400_000));
  await fetchFromHub(REPO, { cacheDir: at.cacheDir });
  expect(hub.weightGets.map(({ range }) => range)).toEqual(['']);
  expect(readdirSync(path.join(at.root, 'blobs')).sort()).toEqual([...BLOBS, theirs].sort());
});
