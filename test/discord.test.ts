/**
 * Discord with the releases that people install today: the receiver of @discordjs/voice and the example bot, on a Node that they run on
 * (they ask for 22). The tests themselves are in test/discord and run by Node's own runner.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resample } from '../src/transforms/resample.js';
import { installed, nodeIn } from './support/installed.js';
import { encodeOpus } from './support/opus.js';
import { samplesOf } from './support/samples.js';
import { joined, through } from './support/streams.js';

const root = path.resolve(import.meta.dirname, '..');
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-discord-test-'));
const packetsOf = (recording: string) => path.join(folder, `${recording}.json`);
let node = '';

beforeAll(async () => {
  const dependencies = installed('discord');
  node = nodeIn(dependencies);
  // The bot as somebody would have it who copied its folder.
  cpSync(path.join(root, 'examples', 'discord-bot'), folder, {
    recursive: true,
    filter: (file) => !file.includes('node_modules'),
  });
  for (const file of readdirSync(path.join(root, 'test', 'discord'))) {
    if (file.endsWith('.mjs')) cpSync(path.join(root, 'test', 'discord', file), path.join(folder, file));
  }
  const modules = path.join(folder, 'node_modules');
  cpSync(path.join(dependencies, 'node_modules'), modules, {
    recursive: true,
    filter: (file) => !/node-(linux|bin)/.test(file),
  });
  symlinkSync(root, path.join(modules, 'parakeet-stream'), 'dir');
  for (const recording of ['af_sky_10', 'jfk']) {
    writeFileSync(packetsOf(recording), JSON.stringify(await opusOf(`${recording}.flac`)));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function opusOf(file: string): Promise<string[]> {
  const input = [{ channels: [await samplesOf(file)], sampleRate: 16_000 }];
  const { items } = await through(input, resample(48_000));
  return encodeOpus([joined(items)[0] as Float32Array]).map((packet) =>
    Buffer.from(packet).toString('base64'),
  );
}

describe('on Node 22', () => {
  test('is another Node', () => {
    expect(spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout).toMatch(/^v22\./);
  });

  test.each([
    ['receiver', 'jfk', 3],
    ['session', 'af_sky_10', 5],
  ])('%s.test.mjs passes', (name, recording, count) => {
    const { status, stdout, stderr } = spawnSync(
      node,
      ['--test', '--test-reporter=tap', `--test-timeout=60000`, path.join(folder, `${name}.test.mjs`)],
      {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, PACKETS: packetsOf(recording), NODE_OPTIONS: '' },
      },
    );
    expect(status, `${stdout}\n${stderr}`).toBe(0);
    expect(stdout).toContain(`# pass ${count}`);
  });

  test('the bot says what it needs, and its programs parse', () => {
    const { status, stderr } = spawnSync(node, ['bot.mjs'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, DISCORD_TOKEN: '' },
    });
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'Usage: DISCORD_TOKEN=… npm start\n' });
  });

  test('its versions are those that its package names', () => {
    const example = JSON.parse(
      readFileSync(path.join(root, 'examples/discord-bot/package.json'), 'utf8'),
    ) as {
      dependencies: Record<string, string>;
    };
    const own = JSON.parse(readFileSync(path.join(root, 'test/discord/package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(own.dependencies)) {
      expect(example.dependencies[name]?.replace('^', '')).toBe(version);
    }
  });
});
