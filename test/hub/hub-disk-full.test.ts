// A disk that is full, or becomes so in the middle: how much room is missing is said, and what is there is never taken for all of it.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WriteError } from '../../src/errors.js';
import { fetchFromHub } from '../../src/hub/hub.js';
import { expectNoWeights, expectWhole, failure, hubCase } from '../support/hub-case.js';
import { FILES, REPO, WEIGHTS } from '../support/hub-server.js';

/** What the disk takes before it is full, and what it says it has. */
const disk = vi.hoisted(() => ({
  room: Number.POSITIVE_INFINITY,
  free: undefined as number | undefined,
  code: 'ENOSPC',
}));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const write: typeof fs.write = ((...args: unknown[]) => {
    const callback = args.at(-1) as (error: Error | null, written: number) => void;
    const length = args[3] as number;
    if (disk.room <= 0) {
      callback(Object.assign(new Error(`${disk.code}: write`), { code: disk.code }), 0);
      return;
    }
    // As a disk does: it takes what it can, and refuses the rest.
    args[3] = Math.min(length, disk.room);
    disk.room -= args[3] as number;
    (real.write as (...all: unknown[]) => void)(...args);
  }) as typeof fs.write;
  return {
    ...real,
    createWriteStream: (name: fs.PathLike, options: object) =>
      real.createWriteStream(name, { ...options, fs: { ...real, write, writev: null } } as object),
  };
});
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs.promises>();
  return {
    ...real,
    statfs: async (name: string) => {
      const said = await real.statfs(name);
      return disk.free === undefined ? said : { ...said, bsize: 1, bavail: disk.free };
    },
  };
});

const at = hubCase();
const { hub } = at;
const fetchIt = () => fetchFromHub(REPO, { cacheDir: at.cacheDir });
const reset = () => Object.assign(disk, { room: Number.POSITIVE_INFINITY, free: undefined, code: 'ENOSPC' });

beforeEach(() => void reset());
afterEach(() => void reset());

describe('a disk that', () => {
  test.each(['ENOSPC', 'EDQUOT'])('becomes full in the middle (%s)', async (code) => {
    Object.assign(disk, { room: 300_000, code });
    const error = await failure(fetchIt());
    expect(error).toBeInstanceOf(WriteError);
    expect(error.code).toBe('ERR_PARAKEET_NO_SPACE');
    const written = 300_000 - 1363;
    expect(error).toMatchObject({ needed: WEIGHTS.length - written });
    expect(error.message).toContain(`${WEIGHTS.length - written} more bytes`);
    expect(error.message).toMatch(/model\.safetensors.*HF_HUB_CACHE/s);
    expect((error.cause as NodeJS.ErrnoException).code).toBe(code);
    expectNoWeights(at.root);

    reset();
    hub.requests = [];
    await fetchIt();
    expect(hub.weightGets.map(({ range }) => range)).toEqual([`bytes=${written}-${WEIGHTS.length - 1}`]);
    expectWhole(at.root);
  });

  test('is too small from the beginning: the weights are not asked for', async () => {
    disk.free = 500_000;
    const error = await failure(fetchIt());
    expect(error).toBeInstanceOf(WriteError);
    expect(error).toMatchObject({ needed: WEIGHTS.length });
    expect(error.message).toContain('500000');
    expect(hub.weightGets).toEqual([]);
    expectNoWeights(at.root);
  });

  test('is full does not bring back an older commit in silence', async () => {
    const older = path.join(at.root, 'snapshots', 'a'.repeat(40));
    for (const folder of [older, path.join(at.root, 'refs')]) fs.mkdirSync(folder, { recursive: true });
    for (const [name, bytes] of Object.entries(FILES)) fs.writeFileSync(path.join(older, name), bytes);
    fs.writeFileSync(path.join(at.root, 'refs', 'main'), 'a'.repeat(40));
    disk.room = 300_000;
    expect(await failure(fetchIt())).toBeInstanceOf(WriteError);
  });
});

/** A shell that may mount: what it mounts goes with it. */
const unshare = ['-rm', 'sh', '-c'];
const canMount =
  spawnSync('unshare', [...unshare, 'mount -t tmpfs -o size=1m none "$0"', tmpdir()]).status === 0;
const script = fileURLToPath(new URL('../support/fetch-from-hub.mjs', import.meta.url));

test.skipIf(!canMount)('a real disk of two megabytes that somebody else fills', async () => {
  const command =
    'mount -t tmpfs -o size=2m none "$0" && "$@"; find "$0" -type f -name "*.incomplete" | wc -l';
  const child = spawn(
    'unshare',
    [...unshare, command, at.cacheDir, process.execPath, script, REPO, at.cacheDir, '1900000'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [answer = '', incomplete = ''] = (await text(child.stdout)).trim().split('\n');
  expect(JSON.parse(answer)).toMatchObject({
    name: 'WriteError',
    code: 'ERR_PARAKEET_NO_SPACE',
    needed: expect.any(Number),
  });
  expect(incomplete.trim()).toBe('1');
});
