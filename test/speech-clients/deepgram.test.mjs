/** Deepgram's own SDK against the server at SERVER, unmodified: only the address is another. */
import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DeepgramClient } from '@deepgram/sdk';

const { SERVER, TOKEN, RECORDING, PCM } = process.env;
const [base, production] = [SERVER, SERVER.replace(/^http/, 'ws')];
const environment = { base, production, agent: production, agentRest: base };
const client = new DeepgramClient({ apiKey: TOKEN, environment });

test('a file', async () => {
  const { metadata, results } = await client.listen.v1.media.transcribeFile(createReadStream(RECORDING), {
    model: 'nova-3',
    smart_format: true,
  });
  assert.match(results.channels[0].alternatives[0].transcript, /do for your country/);
  assert.ok(results.channels[0].alternatives[0].words.length > 15);
  assert.equal(metadata.duration, 11);
});

test('a live transcript: interim results, finals, Finalize, CloseStream', async () => {
  const socket = await client.listen.v1.connect({
    model: 'nova-3',
    encoding: 'linear16',
    sample_rate: 24_000,
    interim_results: 'true',
    vad_events: 'true',
    utterance_end_ms: 1000,
    keyterm: ['Kennedy', 'country'],
    reconnectAttempts: 0,
    Authorization: `Token ${TOKEN}`,
  });
  const messages = [];
  const errors = [];
  socket.on('message', (message) => messages.push(message));
  socket.on('error', (error) => errors.push(error));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.connect();
  await socket.waitForOpen();
  const pcm = readFileSync(PCM);
  for (let at = 0; at < pcm.length; at += 4800) socket.sendMedia(pcm.subarray(at, at + 4800));
  socket.sendKeepAlive({ type: 'KeepAlive' });
  socket.sendFinalize({ type: 'Finalize' });
  socket.sendCloseStream({ type: 'CloseStream' });
  const { code } = await closed;
  assert.equal(code, 1000);
  assert.deepEqual(errors, []);
  const results = messages.filter(({ type }) => type === 'Results');
  const finals = results
    .filter(({ is_final }) => is_final)
    .map(({ channel }) => channel.alternatives[0].transcript);
  assert.match(finals.join(' '), /do for your country/);
  assert.ok(results.some(({ is_final }) => !is_final));
  assert.ok(results.some(({ from_finalize }) => from_finalize));
  assert.ok(messages.some(({ type }) => type === 'SpeechStarted'));
  assert.equal(messages.at(-1).type, 'Metadata');
});
