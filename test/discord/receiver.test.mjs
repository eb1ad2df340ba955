// The receiver of the current @discordjs/voice, fed with datagrams as Discord sends them: encrypted RTP with a header extension.
// Run by test/discord.test.ts with a Node that the library runs on.
import assert from 'node:assert/strict';
import { createCipheriv, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VoiceReceiver } from '@discordjs/voice';
import { discordVoice, loadModel, parakeet } from 'parakeet-stream';

const FRAME = 960;
/** Opus packets of 20 ms, made by the test that runs this one. */
const packets = JSON.parse(readFileSync(process.env.PACKETS, 'utf8')).map((packet) =>
  Buffer.from(packet, 'base64'),
);
const secretKey = randomBytes(32);

function receiverOf(users) {
  const receiver = new VoiceReceiver(Object.assign(new EventEmitter(), { state: { status: 'none' } }));
  receiver.connectionData = {
    encryptionMode: 'aead_aes256_gcm_rtpsize',
    nonceBuffer: Buffer.alloc(12),
    secretKey,
  };
  for (const [index, userId] of users.entries()) receiver.ssrcMap.update({ userId, audioSSRC: index + 1 });
  return receiver;
}

function datagram(ssrc, n, key = secretKey) {
  // Four bytes of header extension, as Discord has them, are part of what is authenticated.
  const header = Buffer.alloc(16);
  header.writeUInt16BE(0x9078, 0);
  header.writeUInt16BE((65_500 + n) & 0xffff, 2);
  header.writeUInt32BE((2 ** 32 - 5000 + n * FRAME) >>> 0, 4);
  header.writeUInt32BE(ssrc, 8);
  header.writeUInt16BE(0xbede, 12);
  header.writeUInt16BE(1, 14);
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(n, 0);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(header);
  const body = Buffer.concat([cipher.update(Buffer.concat([Buffer.alloc(4), packets[n]])), cipher.final()]);
  return Buffer.concat([header, body, cipher.getAuthTag(), nonce.subarray(0, 4)]);
}

/** Pseudorandom numbers in [0, 1), the same in every run. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function textOf(voice, model) {
  const events = [];
  const line = voice.pipe(parakeet({ model, latency: 'accurate' }));
  line.on('data', (event) => event.type === 'token' && events.push(event.token.text));
  await sleep(50);
  voice.stop();
  await new Promise((resolve, reject) => line.once('end', resolve).once('error', reject));
  return events
    .join('')
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .trim()
    .split(/ +/);
}

test('losses are counted exactly and reordered packets put back: 10 % of each do not garble the text', async (t) => {
  const model = await loadModel();
  t.after(() => model.close());
  const receiver = receiverOf(['whole', 'lossy']);
  const chance = random(7);
  const order = packets.map((_, n) => n);
  let swapped = 0;
  for (let i = 1; i + 1 < order.length; i += 2) {
    if (chance() > 0.2) continue;
    [order[i], order[i + 1]] = [order[i + 1], order[i]];
    swapped++;
  }
  // The first and the last tell where the sound begins and ends.
  const kept = order.filter((n) => n === 0 || n === packets.length - 1 || chance() >= 0.1);
  const lost = packets.length - kept.length;
  const send = async (ssrc, userId, numbers) => {
    const datagrams = numbers.map((n) => datagram(ssrc, n));
    const voice = discordVoice(receiver, userId);
    t.after(() => voice.destroy());
    for (const [i, one] of datagrams.entries()) {
      receiver.onUdpMessage(one);
      // The first one begins the clock: what follows goes by its timestamps.
      if (i === 0) await sleep(1);
    }
    return voice;
  };
  const whole = await send(
    1,
    'whole',
    packets.map((_, n) => n),
  );
  const lossy = await send(2, 'lossy', kept);
  assert.ok(lost > 10 && swapped > 10);
  await sleep(20);
  assert.equal(lossy.stats.clock, 'rtp');
  const [clear, heard] = await Promise.all([textOf(whole, model), textOf(lossy, model)]);
  assert.equal(Math.round(lossy.stats.lostSeconds * 50), lost);
  assert.equal(lossy.stats.late, 0);
  assert.ok(lossy.stats.reordered > 0);
  assert.equal(whole.stats.lostSeconds, 0);
  // Sound that was put back in its place has the length that was sent.
  assert.ok(Math.abs(lossy.time - whole.time) < 0.05, `${lossy.time} and ${whole.time}`);
  const same = heard.filter((word) => clear.includes(word)).length;
  assert.ok(clear.length > 8, clear.join(' '));
  assert.ok(same >= 0.6 * clear.length, `${clear.join(' ')} | ${heard.join(' ')}`);
});

test('other subscribers get what they got before, and the receiver is hooked once', async () => {
  const receiver = receiverOf(['anna']);
  const first = discordVoice(receiver, 'anna');
  const parse = receiver.parsePacket;
  const second = discordVoice(receiver, 'ben');
  assert.equal(receiver.parsePacket, parse);
  const got = [];
  receiver.subscribe('anna').on('data', (packet) => got.push(packet));
  receiver.onUdpMessage(datagram(1, 3));
  await sleep(5);
  assert.ok(Buffer.isBuffer(got[0]));
  assert.deepEqual(got[0], packets[3]);
  first.destroy();
  second.destroy();
});

test('a packet that cannot be decrypted ends nobody', async () => {
  const receiver = receiverOf(['anna', 'ben']);
  const anna = discordVoice(receiver, 'anna');
  const ben = discordVoice(receiver, 'ben');
  for (let n = 0; n < 50; n++) {
    receiver.onUdpMessage(datagram(1, n));
    receiver.onUdpMessage(datagram(2, n, n === 20 ? randomBytes(32) : secretKey));
    if (n === 20) await sleep(120);
  }
  await sleep(20);
  assert.equal(anna.stats.packets, 50);
  assert.deepEqual([ben.stats.packets, ben.stats.resubscribed], [49, 1]);
  anna.destroy();
  ben.destroy();
});
