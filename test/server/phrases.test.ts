/** Phrases that the model cannot spell are no reason to refuse a client: other services take any text. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pcmOf, startServer, stopServers, type TestServer, TestSocket } from '../support/caption-server.js';
import { root } from '../support/documents.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(stopServers);

const file = readFileSync(path.join(root, 'test', 'audio', 'am_michael_05.flac'));

test('in the prompt of a file', async () => {
  const form = new FormData();
  form.append('model', 'any');
  form.append('prompt', 'Version 28, Helsinki, ☃');
  form.append('file', new File([file], 'speech.flac'));
  const answer = await fetch(`${server.http}/v1/audio/transcriptions`, { method: 'POST', body: form });
  expect(answer.status).toBe(200);
  expect(((await answer.json()) as { text: string }).text).toMatch(/born on April/);
});

test('as key terms of a file', async () => {
  const address = `${server.http}/v1/listen?keyterm=GPT-4&keyterm=Helsinki`;
  expect((await fetch(address, { method: 'POST', body: file })).status).toBe(200);
});

test('as key terms of a live transcript', async () => {
  const socket = await TestSocket.open(
    `${server.ws}/v1/listen?encoding=linear16&sample_rate=16000&keyterm=GPT-4`,
  );
  socket.sound(await pcmOf('am_michael_05.flac'));
  socket.send({ type: 'CloseStream' });
  expect(await socket.closed).toMatchObject({ code: 1000 });
  expect(JSON.stringify(socket.of('Results'))).toMatch(/born on April/);
});
