/** The Discord bot of examples/: its transcriber with real packets and a receiver of our own; its commands with a library that is none. */
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadModel, type Model } from 'parakeet-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decode } from '../src/transforms/decode.js';
import { resample } from '../src/transforms/resample.js';
import { encodeOpus } from './support/opus.js';
import { joined, pieces, through } from './support/streams.js';

class Receiver {
  readonly speaking = new EventEmitter();
  readonly streams = new Map<string, Readable>();
  subscribe(userId: string): Readable {
    const stream = new Readable({ objectMode: true, read() {} });
    this.streams.set(userId, stream);
    return stream;
  }
}

/** The example is a package of its own: it is run as one, with this one installed. */
type Transcriber = typeof import('../examples/discord-bot/transcriber.mjs');
let listen: Transcriber['listen'];

let model: Model;
let packets: Uint8Array[];
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-bot-'));
beforeAll(async () => {
  const example = path.join(folder, 'bot');
  mkdirSync(path.join(example, 'node_modules'), { recursive: true });
  const root = fileURLToPath(new URL('..', import.meta.url));
  symlinkSync(root, path.join(example, 'node_modules', 'parakeet-stream'), 'dir');
  for (const file of ['transcriber.mjs', 'package.json'])
    copyFileSync(path.join(root, 'examples', 'discord-bot', file), path.join(example, file));
  ({ listen } = (await import(path.join(example, 'transcriber.mjs'))) as Transcriber);
  model = await loadModel();
  const sound = readFileSync(new URL('./audio/af_sky_10.flac', import.meta.url));
  const decoded = await through(pieces(sound, 10_000), decode());
  const { items } = await through(decoded.items, resample(48_000));
  packets = encodeOpus([joined(items)[0] as Float32Array]);
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true, force: true });
});

function speak(receiver: Receiver, userId: string): void {
  receiver.speaking.emit('start', userId);
  for (const [n, payload] of packets.entries()) {
    receiver.streams.get(userId)?.push({ payload, sequence: n & 0xffff, timestamp: n * 960 });
  }
}

test('one stream a speaker, sentences posted in the order of time, subtitles in the end; a broken speaker ends nobody', async () => {
  const receiver = new Receiver();
  const posted: string[] = [];
  const subtitles = path.join(folder, 'talk.srt');
  const transcript = listen({
    model,
    receiver,
    nameOf: (id: string) => `<${id}>`,
    post: async (text: string) => posted.push(text),
    subtitles,
  });
  speak(receiver, 'anna');
  // After anna's words: what two say at one time may be one cue of both, if the first is still held.
  await sleep(3000);
  speak(receiver, 'ben');
  receiver.streams.get('anna')?.destroy(new Error('decryption failed'));
  receiver.speaking.emit('start', 'anna');
  expect(transcript.speakers).toEqual(['<anna>', '<ben>']);
  await sleep(100);
  transcript.leave('anna');
  await transcript.stop();
  const heard = posted.join('\n').toLowerCase();
  expect(heard).toMatch(/\*\*<anna>\*\* \(0:0\d\): .*gave the sign/s);
  expect(heard).toMatch(/\*\*<ben>\*\* \(0:0\d\): /);
  const srt = readFileSync(subtitles, 'utf8');
  expect(srt).toMatch(/<anna>/);
  expect(srt).toMatch(/<ben>/);
  const starts = [...srt.matchAll(/^(\d\d):(\d\d):(\d\d),(\d{3}) -->/gm)].map(
    ([, h, m, s, ms]) => Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(ms) / 1000,
  );
  expect(starts.length).toBeGreaterThanOrEqual(2);
  expect(receiver.speaking.listenerCount('start')).toBe(0);
});

test('aborted, it leaves nothing open', async () => {
  const receiver = new Receiver();
  const transcript = listen({
    model,
    receiver,
    nameOf: (id: string) => id,
    post: async () => {},
    subtitles: path.join(folder, 'aborted.srt'),
  });
  speak(receiver, 'anna');
  await sleep(50);
  await transcript.abort();
  await sleep(100);
  expect(receiver.streams.get('anna')?.destroyed).toBe(true);
});

test("the bot's program is whole: it parses, and says what it needs", () => {
  const bot = fileURLToPath(new URL('../examples/discord-bot/bot.mjs', import.meta.url));
  expect(spawnSync(process.execPath, ['--check', bot]).status).toBe(0);
});
