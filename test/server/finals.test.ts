/** Nothing that is final is lost between the engine and a socket: many recordings at once, beside the same ones by file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel, type Model } from '../../src/index.js';
import {
  expectIdle,
  type Message,
  pcmOf,
  startServer,
  stopServers,
  type TestServer,
  TestSocket,
} from '../support/caption-server.js';
import { root } from '../support/documents.js';

let server: TestServer;
let model: Model;
beforeAll(async () => {
  server = await startServer({ maxStreams: 16 });
  model = await loadModel();
});
afterAll(async () => {
  await model.close();
  await stopServers();
});

const recordings = readFileSync(path.join(root, 'test/audio/transcripts.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t')[0] as string);

type Result = Message & {
  is_final: boolean;
  channel: { alternatives: [{ transcript: string; words: unknown[] }] };
};

test('the finals of sockets are those of the same recordings by file', async () => {
  const heard = await Promise.all(
    recordings.map(async (file) => {
      const pcm = await pcmOf(file);
      const socket = await TestSocket.open(
        `${server.ws}/v1/listen?encoding=linear16&sample_rate=16000&interim_results=true`,
      );
      socket.sound(pcm, 1600);
      socket.send({ type: 'CloseStream' });
      expect(await socket.closed).toMatchObject({ code: 1000 });
      const finals = (socket.of('Results') as Result[])
        .filter((result) => result.is_final)
        .map((result) => result.channel.alternatives[0]);
      return {
        file,
        text: finals
          .map(({ transcript }) => transcript)
          .filter((text) => text !== '')
          .join(' '),
        words: finals.flatMap(({ words }) => words).length,
      };
    }),
  );
  for (const { file, text, words } of heard) {
    const alone = await model.transcribe(await pcmOf(file), {
      mode: 'live',
      input: { format: 's16le', sampleRate: 16_000 },
      utterances: true,
      sentences: { maxDuration: 12 },
    });
    expect(text, file).toBe(alone.text);
    expect(words, file).toBe(alone.sentences.flatMap((sentence) => sentence.words).length);
  }
  expect(heard.length).toBeGreaterThanOrEqual(7);
  await expectIdle(server);
});
