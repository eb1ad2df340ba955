/** OpenAI's realtime protocol: transcription sessions in both forms. With the package itself: clients.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  expectIdle,
  type Message,
  muLawOf,
  pcmOf,
  startServer,
  stopServers,
  type TestServer,
  TestSocket,
} from '../../../support/caption-server.js';

let server: TestServer;
let jfk: Buffer;
beforeAll(async () => {
  server = await startServer();
  jfk = await pcmOf('jfk.flac', 24_000);
});
afterAll(stopServers);

const QUIET = Buffer.alloc(2 * 24_000 * 3);
const connect = (query = '?intent=transcription', headers: Record<string, string> = {}) =>
  TestSocket.open(`${server.ws}/v1/realtime${query}`, [], { headers });
const append = (socket: TestSocket, pcm: Buffer, piece = 9600) => {
  for (let at = 0; at < pcm.length; at += piece)
    socket.send({
      type: 'input_audio_buffer.append',
      audio: pcm.subarray(at, at + piece).toString('base64'),
    });
};
const COMPLETED = 'conversation.item.input_audio_transcription.completed';
const DELTA = 'conversation.item.input_audio_transcription.delta';
const transcriptOf = (socket: TestSocket) =>
  socket
    .of(COMPLETED)
    .map((message) => message.transcript)
    .join(' ');
const errorOf = (message: Message) =>
  message.error as { message: string; code: string; event_id: string | null; type: string };

describe('server VAD', () => {
  test('speech starts, words come, it stops, the item is committed and completed', async () => {
    const socket = await connect();
    await socket.until('session.created');
    append(socket, Buffer.concat([jfk, QUIET]));
    await socket.until(COMPLETED);
    const [item] = socket.of('input_audio_buffer.speech_started').map((message) => message.item_id);
    const ofItem = socket.messages
      .filter((message) => message.item_id === item)
      .map((message) => message.type);
    expect(ofItem[0]).toBe('input_audio_buffer.speech_started');
    expect(ofItem[1]).toBe(DELTA);
    expect(ofItem.slice(-3)).toEqual([
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      COMPLETED,
    ]);
    const deltas = socket.of(DELTA).filter((message) => message.item_id === item);
    const [completed] = socket.of(COMPLETED);
    expect(
      deltas
        .map((message) => message.delta)
        .join('')
        .trim(),
    ).toBe(completed?.transcript);
    socket.socket.close();
    await expectIdle(server);
  });

  test('all is said in the end, in items that follow each other', async () => {
    const socket = await connect();
    append(socket, Buffer.concat([jfk, QUIET, jfk, QUIET]));
    await socket.until(COMPLETED);
    socket.send({ type: 'input_audio_buffer.commit' });
    socket.send({ type: 'session.update', session: { type: 'transcription' } });
    await socket.until('session.updated');
    expect(transcriptOf(socket)).toMatch(/your country.*your country.*your country.*your country/s);
    const committed = socket.of('input_audio_buffer.committed');
    committed.forEach((message, i) => {
      expect(message.previous_item_id).toBe(i === 0 ? null : committed[i - 1]?.item_id);
    });
    expect(new Set(socket.messages.map((message) => message.event_id)).size).toBe(socket.messages.length);
    socket.socket.close();
  });

  test('without an end of speech, commit ends the item', async () => {
    const socket = await connect();
    append(socket, jfk);
    socket.send({ type: 'input_audio_buffer.commit' });
    socket.send({ type: 'session.update', session: { type: 'transcription' } });
    await socket.until('session.updated');
    expect(transcriptOf(socket)).toMatch(/do for your country/);
    socket.socket.close();
  });
});

describe('the client finds the turns', () => {
  const manual = {
    type: 'session.update',
    session: { type: 'transcription', audio: { input: { turn_detection: null } } },
  };

  test('nothing is said before commit, then all of it', async () => {
    const socket = await connect();
    socket.send(manual);
    append(socket, jfk);
    socket.send({ type: 'session.update', session: { type: 'transcription' } });
    await expect.poll(() => socket.of('session.updated').length, { timeout: 30_000 }).toBe(2);
    expect(socket.of(DELTA)).toEqual([]);
    socket.send({ type: 'input_audio_buffer.commit' });
    await socket.until(COMPLETED);
    expect(transcriptOf(socket)).toMatch(/your country/);
    expect(socket.of('input_audio_buffer.speech_started')).toEqual([]);
    append(socket, jfk);
    socket.send({ type: 'input_audio_buffer.commit' });
    await expect.poll(() => socket.of(COMPLETED).length, { timeout: 30_000 }).toBe(2);
    expect(socket.of('input_audio_buffer.committed')[1]?.previous_item_id).toBe(
      socket.of(COMPLETED)[0]?.item_id,
    );
    socket.socket.close();
  });

  test('clear drops what was not committed', async () => {
    const socket = await connect();
    socket.send(manual);
    append(socket, jfk);
    socket.send({ type: 'input_audio_buffer.clear' });
    await socket.until('input_audio_buffer.cleared');
    append(socket, await pcmOf('am_michael_05.flac', 24_000));
    socket.send({ type: 'input_audio_buffer.commit' });
    await socket.until(COMPLETED);
    expect(transcriptOf(socket)).toMatch(/april/i);
    expect(transcriptOf(socket)).not.toMatch(/country/);
    socket.socket.close();
  });

  test('nothing to commit is an error', async () => {
    const socket = await connect();
    socket.send(manual);
    socket.send({ type: 'input_audio_buffer.commit', event_id: 'mine' });
    expect(errorOf(await socket.until('error'))).toMatchObject({
      event_id: 'mine',
      type: 'invalid_request_error',
    });
    socket.socket.close();
  });
});

describe('session.update', () => {
  test('in the current form', async () => {
    const socket = await connect('?model=gpt-realtime');
    const input = {
      format: { type: 'audio/pcmu' },
      transcription: { model: 'gpt-4o-transcribe', language: 'en', prompt: 'Kennedy' },
      turn_detection: { type: 'server_vad', silence_duration_ms: 700 },
    };
    socket.send({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
    const { session } = await socket.until('session.updated');
    expect(session).toMatchObject({
      type: 'transcription',
      id: expect.stringMatching(/^sess_/),
      audio: { input },
    });
    append(socket, muLawOf(await pcmOf('jfk.flac', 8000)), 800);
    socket.send({ type: 'input_audio_buffer.commit' });
    await socket.until(COMPLETED);
    await expect.poll(() => transcriptOf(socket), { timeout: 30_000 }).toMatch(/country/);
    socket.socket.close();
  });

  test('in the older form', async () => {
    const socket = await connect('?intent=transcription', { 'OpenAI-Beta': 'realtime=v1' });
    await socket.until('transcription_session.created');
    const session = {
      input_audio_format: 'pcm16',
      input_audio_transcription: { model: 'gpt-4o-transcribe', prompt: '', language: 'en' },
      turn_detection: {
        type: 'server_vad',
        threshold: 0.5,
        prefix_padding_ms: 300,
        silence_duration_ms: 500,
      },
    };
    socket.send({ type: 'transcription_session.update', session });
    expect((await socket.until('transcription_session.updated')).session).toMatchObject(session);
    append(socket, Buffer.concat([jfk, QUIET]));
    await socket.until(COMPLETED);
    expect(socket.of('conversation.item.created').length).toBeGreaterThanOrEqual(1);
    socket.socket.close();
  });

  test.each([
    ['a session that answers', { type: 'realtime' }, /transcribes/],
    ['another rate', { audio: { input: { format: { type: 'audio/pcm', rate: 8000 } } } }, /24000/],
    ['another format', { audio: { input: { format: { type: 'audio/mp3' } } } }, /audio\/pcm/],
    ['audio that is no object', { audio: 7 }, /session\.audio/],
    [
      'an unknown turn detection',
      { audio: { input: { turn_detection: { type: 'telepathy' } } } },
      /server_vad/,
    ],
    [
      'silence that is no number',
      { audio: { input: { turn_detection: { silence_duration_ms: 'x' } } } },
      /silence_duration_ms/,
    ],
  ])('%s is refused, and the session goes on', async (_, session, message) => {
    const socket = await connect();
    socket.send({ type: 'session.update', session, event_id: 'e1' });
    expect(errorOf(await socket.until('error'))).toMatchObject({
      message: expect.stringMatching(message),
      event_id: 'e1',
      code: 'ERR_PARAKEET_SERVER_PROTOCOL',
    });
    socket.send({ type: 'session.update', session: {} });
    await socket.until('session.updated');
    socket.socket.close();
  });

  test('after the first sound the format stays, phrases may change', async () => {
    const socket = await connect();
    append(socket, jfk.subarray(0, 96_000));
    const update = (input: object) => socket.send({ type: 'session.update', session: { audio: { input } } });
    update({ format: { type: 'audio/pcma' } });
    expect(errorOf(await socket.until('error')).message).toMatch(/before the first sound/);
    update({ transcription: { prompt: 'fellow Americans' } });
    await socket.until('session.updated');
    socket.socket.close();
  });
});

describe('what is no message of the protocol', () => {
  test.each<[string, string | Buffer]>([
    ['text that is no JSON', '{"type":'],
    ['a list', '[1,2]'],
    ['null', 'null'],
    ['an unknown type', '{"type":"response.create"}'],
    ['no type', '{}'],
    ['audio that is no text', '{"type":"input_audio_buffer.append","audio":17}'],
    ['audio that is no base64', '{"type":"input_audio_buffer.append","audio":"?!"}'],
    ['binary where text belongs', Buffer.from([0, 1, 2, 255])],
  ])('%s gets an error, and the session goes on', async (_, message) => {
    const socket = await connect();
    socket.send(message);
    expect(errorOf(await socket.until('error')).message).toMatch(/^Expected/);
    append(socket, jfk);
    socket.send({ type: 'input_audio_buffer.commit' });
    await socket.until(COMPLETED);
    socket.socket.close();
    await expectIdle(server);
  });
});
