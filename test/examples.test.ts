/**
 * Every program in examples/ runs as its head says and prints a true transcript.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { decode } from '../src/transforms/decode.js';
import { resample } from '../src/transforms/resample.js';
import { joined, pieces, through } from './support/streams.js';

const examples = fileURLToPath(new URL('../examples/', import.meta.url));
const sound = fileURLToPath(new URL('./audio/af_sky_10.flac', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-examples-'));
/** The sound behind an address. */
const server = createServer((_request, response) => response.end(readFileSync(sound)));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/talk.flac`;
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  args: string[];
  /** What it gets on stdin. */
  input?: () => Promise<Uint8Array>;
  /** Where its words are. */
  words: (stdout: string) => string;
}

const runs: Record<string, Run> = {
  'add-audio.mjs': { args: [sound], words: (stdout) => stdout },
  'demo.mjs': { args: [sound], words: () => readFileSync(path.join(folder, 'af_sky_10.srt'), 'utf8') },
  'custom-stage.mjs': { args: [sound], words: (stdout) => stdout.replace(/[[\]]/g, '') },
  'ffmpeg-stdin.mjs': { args: [], input: asRaw, words: (stdout) => stdout },
  'file-to-srt.mjs': {
    args: [sound, 'talk.srt'],
    words: () => readFileSync(path.join(folder, 'talk.srt'), 'utf8'),
  },
  'transcribe.mjs': { args: [sound], words: (stdout) => stdout },
  'two-speakers.mjs': {
    args: [sound, sound, 'both.srt'],
    words: () => {
      const subtitles = readFileSync(path.join(folder, 'both.srt'), 'utf8');
      expect(subtitles).toMatch(/Anna/);
      expect(subtitles).toMatch(/Ben/);
      return subtitles;
    },
  },
  'web-stream.mjs': { args: [address], words: (stdout) => stdout },
};

/** The sound as s16le, mono, 16 kHz. */
async function asRaw(): Promise<Uint8Array> {
  const audio = await through(pieces(readFileSync(sound), 10_000), decode());
  const { items } = await through(audio.items, resample(16_000));
  const samples = joined(items)[0] as Float32Array;
  return new Uint8Array(Int16Array.from(samples, (sample) => sample * 32_767).buffer);
}

async function start(name: string, args: string[], input?: Uint8Array) {
  const child = spawn(process.execPath, [path.join(examples, name), ...args], { cwd: folder });
  child.stdin.on('error', () => {}).end(input);
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  return { stdout, stderr, status };
}

/** Run by tests of their own: the bot (discord-bot.test.ts), and what needs a microphone, here without one. */
const elsewhere = ['discord-bot', 'mic-captions.mjs'];

test('every example is run here', () => {
  expect(readdirSync(examples).sort()).toEqual([...Object.keys(runs), ...elsewhere].sort());
});

test('mic-captions.mjs without its microphone says so, and leaves a usable file', async () => {
  const { status, stderr } = await start('mic-captions.mjs', ['none.srt', 'no such microphone']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/ERR_PARAKEET_(INVALID_AUDIO|MISSING_DEPENDENCY)/);
});

test.each(Object.entries(runs))('%s', async (name, run) => {
  const { status, stderr, stdout } = await start(name, run.args, await run.input?.());
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(run.words(stdout).toLowerCase()).toContain('gave the sign');
  if (name === 'demo.mjs') expect(stdout).toMatch(/draft.*final.*real-time factor \d/s);
});

test('an example called wrongly says how it is called', async () => {
  // The demo needs nothing, and what reads stdin is called wrongly only by a terminal.
  const nothing = ['demo.mjs', 'ffmpeg-stdin.mjs', 'discord-bot'];
  const names = readdirSync(examples).filter((name) => !nothing.includes(name));
  for (const name of names) {
    const { status, stderr } = await start(name, []);
    expect(status, name).toBe(1);
    expect(stderr, name).toContain(`Usage: node examples/${name}`);
  }
});
