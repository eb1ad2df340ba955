/** Deepgram's protocols: live and for files. With the SDK itself: clients.test.ts. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
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
import { root } from '../../../support/documents.js';
import { samplesOf } from '../../../support/samples.js';
import { wavFile } from '../../../support/wav-file.js';

let server: TestServer;
let jfk: Buffer;
beforeAll(async () => {
  server = await startServer();
  jfk = await pcmOf('jfk.flac');
});
afterAll(stopServers);

const FORMAT = 'encoding=linear16&sample_rate=16000';
const listen = (query: string) => TestSocket.open(`${server.ws}/v1/listen?${query}`);

interface Result extends Message {
  is_final: boolean;
  speech_final: boolean;
  from_finalize: boolean;
  start: number;
  channel_index: [number, number];
  channel: {
    alternatives: [
      { transcript: string; words: { word: string; punctuated_word?: string; start: number }[] },
    ];
  };
}
const resultsOf = (socket: TestSocket) => socket.of('Results') as Result[];
const finalsOf = (socket: TestSocket, channel = 0) =>
  resultsOf(socket)
    .filter((result) => result.is_final && result.channel_index[0] === channel)
    .map((result) => result.channel.alternatives[0].transcript)
    .filter((text) => text !== '')
    .join(' ');

describe('WS /v1/listen', () => {
  test('finals, interim results, speech and utterances come, then the summary, then the end', async () => {
    const socket = await listen(`${FORMAT}&interim_results=true&vad_events=true&utterance_end_ms=1000`);
    socket.sound(jfk);
    socket.send(Buffer.alloc(2 * 16_000 * 4));
    socket.send({ type: 'CloseStream' });
    expect(await socket.closed).toMatchObject({ code: 1000 });
    expect(finalsOf(socket)).toMatch(/your country can do for you.* do for your country/i);
    expect(resultsOf(socket).filter((result) => !result.is_final).length).toBeGreaterThan(3);
    expect(resultsOf(socket).some((result) => result.speech_final)).toBe(true);
    expect(socket.of('SpeechStarted').length).toBeGreaterThanOrEqual(1);
    expect(socket.of('UtteranceEnd').length).toBeGreaterThanOrEqual(1);
    expect(socket.messages.at(-1)).toMatchObject({ type: 'Metadata', duration: 15, channels: 1 });
    const words = resultsOf(socket).flatMap((result) =>
      result.is_final ? result.channel.alternatives[0].words : [],
    );
    expect(words[0]).toMatchObject({ word: 'and', punctuated_word: 'And', start: expect.any(Number) });
    expect(words.map(({ start }) => start)).toEqual(words.map(({ start }) => start).sort((a, b) => a - b));
    await expectIdle(server);
  });

  test('without interim_results and vad_events there are neither', async () => {
    const socket = await listen(FORMAT);
    socket.sound(jfk);
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    expect(resultsOf(socket).every((result) => result.is_final)).toBe(true);
    expect(socket.of('SpeechStarted')).toEqual([]);
    expect(socket.of('UtteranceEnd')).toEqual([]);
  });

  test('Finalize makes everything final, and says so', async () => {
    const socket = await listen(FORMAT);
    socket.sound(jfk.subarray(0, 2 * 16_000 * 4));
    socket.send({ type: 'Finalize' });
    const first = (await socket.until('Results')) as Result;
    expect(first.channel.alternatives[0].transcript).toMatch(/and so/i);
    // With nothing to make final, it is answered all the same.
    socket.send({ type: 'Finalize' });
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    expect(resultsOf(socket).filter((result) => result.from_finalize).length).toBe(2);
  });

  test('an empty binary message is CloseStream', async () => {
    const socket = await listen(FORMAT);
    socket.sound(jfk);
    socket.send(Buffer.alloc(0));
    expect(await socket.closed).toMatchObject({ code: 1000 });
    expect(finalsOf(socket)).toMatch(/country/);
  });

  test('a container needs no encoding', async () => {
    const socket = await listen('model=nova-3');
    socket.sound(readFileSync(path.join(root, 'test/audio/af_sky_10.flac')), 1000);
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    expect(finalsOf(socket)).toMatch(/the sign/i);
  });

  test('each channel by itself', async () => {
    const left = await pcmOf('af_sky_10.flac');
    const right = await pcmOf('am_michael_05.flac');
    const both = Buffer.alloc(2 * right.length);
    for (let at = 0; at < right.length; at += 2) {
      both.writeInt16LE(at < left.length ? left.readInt16LE(at) : 0, 2 * at);
      both.writeInt16LE(right.readInt16LE(at), 2 * at + 2);
    }
    const socket = await listen(`${FORMAT}&channels=2&multichannel=true`);
    // Cut inside of samples.
    socket.sound(both, 3333);
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    expect(finalsOf(socket, 0)).toMatch(/sign/i);
    expect(finalsOf(socket, 0)).not.toMatch(/born/i);
    expect(finalsOf(socket, 1)).toMatch(/born/i);
    expect(socket.of('Metadata')[0]).toMatchObject({ channels: 2 });
    expect(resultsOf(socket)[0]?.channel_index[1]).toBe(2);
  });

  test('µ-law at 8 kHz', async () => {
    const socket = await listen('encoding=mulaw&sample_rate=8000');
    socket.sound(muLawOf(await pcmOf('jfk.flac', 8000)), 160);
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    expect(finalsOf(socket)).toMatch(/country/);
  });

  test('punctuate=false: bare words', async () => {
    const socket = await listen(`${FORMAT}&punctuate=false`);
    socket.sound(jfk);
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    expect(finalsOf(socket)).toMatch(/^[a-z ']+$/);
    expect(resultsOf(socket)[0]?.channel.alternatives[0].words[0]).not.toHaveProperty('punctuated_word');
  });

  test('parameters without effect are named', async () => {
    const socket = await listen(`${FORMAT}&diarize=true&model=nova-3`);
    socket.send({ type: 'CloseStream' });
    await socket.closed;
    expect(socket.of('Metadata')[0]).toMatchObject({ warnings: [{ parameter: 'diarize' }] });
  });

  test.each([
    ['encoding=opus-in-a-box', 400],
    ['encoding=linear16', 400],
    [`${FORMAT}&channels=0`, 400],
    [`${FORMAT}&interim_results=maybe`, 400],
    ['multichannel=true&channels=2', 400],
    [`${FORMAT}&callback=http://127.0.0.1`, 400],
  ])('%s is a bad request', async (query, status) => {
    await expect(listen(query)).rejects.toThrow(`Unexpected server response: ${status}`);
  });

  test.each([
    ['text that is no JSON', 'hello', 1008],
    ['an unknown type', '{"type":"Sing"}', 1008],
    ['an array', '[]', 1008],
  ])('%s ends this connection only', async (_, text, code) => {
    const other = await listen(FORMAT);
    const socket = await listen(FORMAT);
    socket.send(text);
    expect(await socket.closed).toMatchObject({ code, reason: expect.stringContaining('Expected') });
    other.sound(jfk);
    other.send({ type: 'CloseStream' });
    expect(await other.closed).toMatchObject({ code: 1000 });
    expect(finalsOf(other)).toMatch(/country/);
    await expectIdle(server);
  });

  test('bytes that are no sound end it with the reason', async () => {
    const socket = await listen('');
    socket.send(Buffer.from('{"this is": "not sound at all"}'.repeat(400)));
    socket.send({ type: 'CloseStream' });
    const { code, reason } = await socket.closed;
    expect([1003, 1007]).toContain(code);
    expect(reason).toMatch(/Expected/);
    await expectIdle(server);
  });
});

describe('POST /v1/listen', () => {
  const post = (query: string, body: Buffer | string, type = 'audio/flac') =>
    fetch(`${server.http}/v1/listen${query}`, { method: 'POST', body, headers: { 'content-type': type } });
  const file = readFileSync(path.join(root, 'test/audio/jfk.flac'));

  test('multichannel: each channel of a file by itself, silent ones too', async () => {
    const [left, right] = [await samplesOf('af_sky_10.flac'), await samplesOf('am_michael_05.flac')];
    const first = new Float32Array(right.length);
    first.set(left);
    const body = wavFile([first, new Float32Array(right.length), right]);
    const answer = await post('?multichannel=true', body, 'audio/wav');
    expect(answer.status).toBe(200);
    const { metadata, results } = (await answer.json()) as {
      metadata: { channels: number; duration: number };
      results: { channels: { alternatives: [{ transcript: string }] }[] };
    };
    const texts = results.channels.map(({ alternatives: [best] }) => best.transcript);
    expect(texts).toEqual([expect.stringMatching(/sign/i), '', expect.stringMatching(/born/i)]);
    expect(texts[0]).not.toMatch(/born/i);
    expect(metadata.channels).toBe(3);
    expect(metadata.duration).toBeCloseTo(right.length / 16_000, 2);
  });

  test('a file', async () => {
    const answer = await post('?model=nova-3&smart_format=true', file);
    const { metadata, results } = (await answer.json()) as {
      metadata: Record<string, unknown>;
      results: { channels: [{ alternatives: Result['channel']['alternatives'] }] };
    };
    expect(metadata).toMatchObject({
      duration: 11,
      channels: 1,
      request_id: expect.any(String),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(results.channels[0].alternatives[0].transcript).toMatch(/your country/);
    expect(results.channels[0].alternatives[0].words.length).toBeGreaterThan(15);
  });

  test('raw sound with encoding and sample_rate', async () => {
    const answer = await post(`?${FORMAT}`, jfk, 'application/octet-stream');
    expect(JSON.stringify(await answer.json())).toMatch(/your country/);
  });

  test('addresses are not fetched', async () => {
    const answer = await post('', '{"url":"http://127.0.0.1:1/secret"}', 'application/json');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      err_code: 'ERR_PARAKEET_SERVER_PROTOCOL',
      request_id: expect.any(String),
    });
  });

  test('a file that is cut off is an error', async () => {
    const answer = await post('', file.subarray(0, 60_000));
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ err_code: 'ERR_PARAKEET_INVALID_AUDIO' });
    await expectIdle(server);
  });
});
