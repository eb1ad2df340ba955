/** A server with a second model for the drafts: clients get the finals that they get without it, and drafts of its words. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundledModel } from '../../src/bundled-model.js';
import {
  expectIdle,
  type Message,
  pcmOf,
  startServer,
  stopServers,
  type TestServer,
  TestSocket,
} from '../support/caption-server.js';

let plain: TestServer;
let fast: TestServer;
beforeAll(async () => {
  plain = await startServer({ maxStreams: 2, latency: 'accurate' });
  fast = await startServer({ maxStreams: 2, latency: 'accurate', draftModel: bundledModel() });
});
afterAll(stopServers);

type Result = Message & { is_final: boolean; channel: { alternatives: [{ transcript: string }] } };

async function hear(server: TestServer, interim: boolean) {
  const query = `encoding=linear16&sample_rate=16000&interim_results=${interim}`;
  const socket = await TestSocket.open(`${server.ws}/v1/listen?${query}`);
  socket.sound(await pcmOf('bf_emma_06.flac'), 3200);
  socket.send({ type: 'CloseStream' });
  await socket.closed;
  const results = socket.of('Results') as Result[];
  const textOf = (final: boolean) =>
    results
      .filter(({ is_final }) => is_final === final)
      .map(({ channel }) => channel.alternatives[0].transcript)
      .filter((text) => text !== '');
  return { finals: textOf(true), drafts: textOf(false) };
}

test('finals are the same, and drafts are those of the draft model', async () => {
  const [one, two] = [await hear(plain, true), await hear(fast, true)];
  expect(two.finals).toEqual(one.finals);
  expect(two.drafts.length).toBeGreaterThan(one.drafts.length);
  expect((await hear(fast, false)).finals).toEqual(one.finals);
  await Promise.all([plain, fast].map(expectIdle));
});
