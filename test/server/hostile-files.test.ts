/** Uploads that are made to open something else: playlists and scripts with paths and addresses. Nothing is opened. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  expectIdle,
  pcmOf,
  startServer,
  stopServers,
  type TestServer,
  TestSocket,
  wavOf,
} from '../support/caption-server.js';
import { root } from '../support/documents.js';
import { ffmpegPath, makeWithFfmpeg } from '../support/ffmpeg.js';

let server: TestServer;
let canary: Server;
let asked: string[] = [];
let secret: string;
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-secret-'));
beforeAll(async () => {
  // An old one, which opens more than new ones do.
  process.env.FFMPEG_PATH = ffmpegPath;
  server = await startServer();
  // A recording that would be transcribed if anybody opened it.
  secret = path.join(folder, 'secret.wav');
  makeWithFfmpeg('-i', path.join(root, 'test/audio/jfk.flac'), secret);
  const wav = readFileSync(secret);
  canary = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(wav);
  });
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await stopServers();
  canary.close();
  rmSync(folder, { recursive: true, force: true });
});

const address = () => `http://127.0.0.1:${(canary.address() as AddressInfo).port}/secret.wav`;
const targets = {
  'a path': () => secret,
  'a file: address': () => `file://${secret}`,
  'an http: address': address,
  'concat:': () => `concat:${secret}|${secret}`,
  'subfile:': () => `subfile,,start,0,end,0,,:${secret}`,
  'crypto:': () => `crypto:${secret}`,
};
const documents: Record<string, (target: string) => string> = {
  'an HLS playlist': (target) =>
    `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:11\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:11.0,\n${target}\n#EXT-X-ENDLIST\n`,
  'an HLS playlist with a map': (target) =>
    `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:11\n#EXT-X-MAP:URI="${target}"\n#EXTINF:11.0,\n${target}\n#EXT-X-ENDLIST\n`,
  'a concat script': (target) => `ffconcat version 1.0\nfile '${target}'\nduration 11\n`,
  'a DASH manifest': (target) =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT11S"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>${target}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  'an SDP description': () =>
    `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio ${(canary.address() as AddressInfo).port} RTP/AVP 0\n`,
};
const cases = Object.keys(documents).flatMap((document) =>
  Object.keys(targets).map((target) => [document, target] as const),
);

test.each(cases)('%s with %s', async (document, target) => {
  asked = [];
  const text = (documents[document] as (target: string) => string)(
    (targets[target as keyof typeof targets] as () => string)(),
  );
  // Behind a byte order mark, and with what a sniffer takes for binary: ffmpeg, which gets the last one, knows it all the same.
  for (const body of [text, `\ufeff${text}`, text.replace('\n', '\n#\x80\x81\x82\n')]) {
    const data = new FormData();
    data.append('model', 'x');
    data.append('file', new Blob([Buffer.from(body, 'latin1')]), secret);
    const answer = await fetch(`${server.http}/v1/audio/transcriptions`, { method: 'POST', body: data });
    expect([400, 415]).toContain(answer.status);
    expect(await answer.text()).not.toMatch(/country/);
  }
  expect(asked).toEqual([]);
});

test('a live stream of such bytes', async () => {
  asked = [];
  const playlist = (documents['an HLS playlist'] as (target: string) => string)(address());
  const socket = await TestSocket.open(`${server.ws}/v1/listen`);
  socket.send(Buffer.from(playlist));
  socket.send({ type: 'CloseStream' });
  expect([1003, 1007]).toContain((await socket.closed).code);
  expect(JSON.stringify(socket.messages)).not.toMatch(/country/);
  expect(asked).toEqual([]);
  await expectIdle(server);
});

test('the name of a file is no path', async () => {
  const data = new FormData();
  data.append('model', 'x');
  data.append(
    'file',
    new Blob([new Uint8Array(wavOf(await pcmOf('af_sky_10.flac')))]),
    '../../../../etc/passwd',
  );
  const answer = await fetch(`${server.http}/v1/audio/transcriptions`, { method: 'POST', body: data });
  expect(await answer.text()).toMatch(/sign/);
});
