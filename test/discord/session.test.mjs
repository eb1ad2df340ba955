// The example bot's session with a connection of our own and the library's own states. Run by test/discord.test.ts, in a copy of
// examples/discord-bot that has its dependencies.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VoiceConnectionStatus } from '@discordjs/voice';
import { loadModel } from 'parakeet-stream';
import { startSession } from './session.mjs';

const packets = JSON.parse(readFileSync(process.env.PACKETS, 'utf8')).map((packet) =>
  Buffer.from(packet, 'base64'),
);
const keep = mkdtempSync(path.join(tmpdir(), 'parakeet-kept-'));
let model;
before(async () => {
  model = await loadModel();
});
after(async () => {
  await model.close();
  rmSync(keep, { recursive: true });
});

class Connection extends EventEmitter {
  state = { status: VoiceConnectionStatus.Ready };
  streams = new Map();
  sent = new Map();
  receiver = {
    speaking: new EventEmitter(),
    subscribe: (userId) => {
      const stream = new Readable({ objectMode: true, read() {} });
      this.streams.set(userId, stream);
      return stream;
    },
  };
  become(status) {
    const before = this.state;
    this.state = { status };
    this.emit('stateChange', before, this.state);
    this.emit(status, before, this.state);
  }
  destroy() {
    this.become(VoiceConnectionStatus.Destroyed);
  }
  say(userId) {
    this.receiver.speaking.emit('start', userId);
    const first = this.sent.get(userId) ?? 0;
    for (const [n, payload] of packets.entries()) {
      this.streams
        .get(userId)
        ?.push({ payload, sequence: (first + n) & 0xffff, timestamp: (first + n) * 960 });
    }
    this.sent.set(userId, first + packets.length);
  }
}

async function session(overrides = {}) {
  const connection = new Connection();
  const log = { posted: [], delivered: [], reported: [], ended: 0 };
  const running = await startSession({
    model,
    connection,
    nameOf: (id) => id,
    post: async (text) => log.posted.push(text),
    deliver: async (file, text) => log.delivered.push({ srt: readFileSync(file, 'utf8'), text }),
    report: (error, what) => log.reported.push(`${what}: ${error.message}`),
    onEnd: () => log.ended++,
    keep,
    reconnect: 400,
    ...overrides,
  });
  return { connection, log, running };
}

const saidBy = (log, speaker) =>
  log.posted
    .filter((text) => text.startsWith(`**${speaker}**`))
    .join('\n')
    .toLowerCase();

test('a speaker who leaves and comes back is heard again, at once and later', async () => {
  const { connection, log, running } = await session();
  connection.say('anna');
  await sleep(50);
  running.leave('anna');
  connection.say('anna');
  await sleep(300);
  running.leave('anna');
  await sleep(300);
  connection.say('anna');
  await sleep(50);
  await running.stop('over');
  assert.equal(saidBy(log, 'anna').match(/gave the sign/g)?.length, 3, log.posted.join('\n'));
  assert.deepEqual(log.reported, []);
  assert.equal(log.delivered.length, 1);
});

test('a post that fails neither ends the transcript nor loses its subtitles', async () => {
  let posts = 0;
  const { connection, log, running } = await session({
    post: async () => {
      if (posts++ === 0) throw new Error('rate limited');
    },
  });
  connection.say('anna');
  connection.say('ben');
  await sleep(50);
  await running.stop('over');
  assert.equal(posts, 2);
  assert.deepEqual(log.reported, ['posting: rate limited']);
  assert.match(log.delivered[0].srt.toLowerCase(), /gave the sign/);
});

test('subtitles that cannot be delivered are kept', async () => {
  const { connection, log, running } = await session({
    deliver: async () => {
      throw new Error('missing permission');
    },
  });
  connection.say('anna');
  await sleep(50);
  await running.stop('over');
  const [file] = readdirSync(keep);
  assert.match(readFileSync(path.join(keep, file), 'utf8').toLowerCase(), /gave the sign/);
  assert.ok(log.reported[0].includes(file));
  assert.equal(log.ended, 1);
});

test('a connection that comes back goes on; one that does not delivers what there is, once', async () => {
  const { connection, log } = await session();
  connection.say('anna');
  connection.become(VoiceConnectionStatus.Disconnected);
  connection.become(VoiceConnectionStatus.Connecting);
  connection.become(VoiceConnectionStatus.Ready);
  await sleep(200);
  assert.equal(log.ended, 0);
  connection.say('ben');
  await sleep(50);
  connection.become(VoiceConnectionStatus.Disconnected);
  await sleep(600);
  while (log.ended === 0) await sleep(20);
  assert.equal(log.delivered.length, 1);
  assert.match(log.delivered[0].text, /connection was lost/);
  for (const speaker of ['anna', 'ben']) assert.match(saidBy(log, speaker), /gave the sign/);
  assert.equal(connection.state.status, VoiceConnectionStatus.Destroyed);
});

test('thrown out of the channel, it delivers what there is; stopping again is the same end', async () => {
  const { connection, log, running } = await session();
  connection.say('anna');
  await sleep(50);
  connection.destroy();
  await Promise.all([running.stop('over'), running.stop('over')]);
  assert.deepEqual([log.ended, log.delivered.length], [1, 1]);
  assert.match(log.delivered[0].text, /disconnected/);
  assert.equal(existsSync(path.join(keep, 'talk.srt')), false);
});
