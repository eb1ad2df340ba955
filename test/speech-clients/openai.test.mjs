/** OpenAI's own package against the server at SERVER, unmodified: only the address is another. */
import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { test } from 'node:test';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';

const { SERVER, TOKEN, RECORDING, PCM } = process.env;
const client = new OpenAI({ apiKey: TOKEN, baseURL: `${SERVER}/v1` });
const file = () => createReadStream(RECORDING);

test('a file', async () => {
  const { text, usage } = await client.audio.transcriptions.create({ file: file(), model: 'whisper-1' });
  assert.match(text, /do for your country/);
  assert.equal(usage.seconds, 11);
});

test('the forms of the answer', async () => {
  const create = (options) =>
    client.audio.transcriptions.create({ file: file(), model: 'whisper-1', ...options });
  assert.match(await create({ response_format: 'srt' }), /^1\n00:00:00,000 --> /);
  assert.match(await create({ response_format: 'vtt' }), /^WEBVTT/);
  assert.match(await create({ response_format: 'text' }), /country/);
  const timestamp_granularities = ['word', 'segment'];
  const { words, segments } = await create({ response_format: 'verbose_json', timestamp_granularities });
  assert.ok(words.length > 15);
  assert.ok(segments.every(({ start, end }) => end > start));
});

test('a streamed answer', async () => {
  const stream = await client.audio.transcriptions.create({
    model: 'gpt-4o-transcribe',
    stream: true,
    file: file(),
  });
  let deltas = '';
  let done;
  for await (const event of stream) {
    if (event.type === 'transcript.text.delta') deltas += event.delta;
    if (event.type === 'transcript.text.done') done = event.text;
  }
  assert.match(done, /do for your country/);
  assert.equal(deltas, done);
});

test('models', async () => {
  const models = [];
  for await (const model of client.models.list()) models.push(model.id);
  assert.deepEqual(models, ['parakeet-tiny-en']);
  assert.equal((await client.models.retrieve(models[0])).id, models[0]);
});

test('a wrong token and a file that is none are its own errors', async () => {
  const stranger = new OpenAI({ apiKey: 'wrong-wrong-wrong-wrong', baseURL: `${SERVER}/v1`, maxRetries: 0 });
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
  const bad = new File(['no sound at all, but a text. '.repeat(100)], 'talk.mp3');
  await assert.rejects(client.audio.transcriptions.create({ file: bad, model: 'whisper-1' }), {
    status: 415,
  });
});

test('a realtime transcription session', async () => {
  const socket = new OpenAIRealtimeWS({ intent: 'transcription' }, client);
  const errors = [];
  socket.on('error', (error) => errors.push(error));
  const updated = new Promise((resolve) => socket.on('session.updated', resolve));
  const committed = [];
  const completed = [];
  let deltas = '';
  socket.on('input_audio_buffer.committed', (event) => committed.push(event.item_id));
  socket.on('conversation.item.input_audio_transcription.delta', ({ delta }) => {
    deltas += delta;
  });
  const all = new Promise((resolve) => {
    socket.on('conversation.item.input_audio_transcription.completed', (event) => {
      completed.push(event);
      if (/do for your country/.test(event.transcript)) resolve();
    });
  });
  await new Promise((resolve) => socket.socket.on('open', resolve));
  socket.send({
    type: 'session.update',
    session: {
      type: 'transcription',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          transcription: { model: 'gpt-4o-transcribe', language: 'en' },
          turn_detection: { type: 'server_vad', silence_duration_ms: 500 },
        },
      },
    },
  });
  await updated;
  const pcm = Buffer.concat([readFileSync(PCM), Buffer.alloc(2 * 24_000 * 3)]);
  for (let at = 0; at < pcm.length; at += 9600)
    socket.send({ type: 'input_audio_buffer.append', audio: pcm.subarray(at, at + 9600).toString('base64') });
  await all;
  assert.deepEqual(errors, []);
  assert.deepEqual(
    committed,
    completed.map((event) => event.item_id),
  );
  assert.equal(
    deltas.replaceAll(' ', ''),
    completed
      .map((event) => event.transcript)
      .join('')
      .replaceAll(' ', ''),
  );
  socket.close();
});
