/** The Wyoming protocol with the client that Home Assistant uses, PyPI's `wyoming`, in an environment that this test makes. */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventParser, encodeEvent, type WyomingEvent } from '../../../src/server/wyoming/events.js';
import {
  expectIdle,
  pcmOf,
  startServer,
  stateOf,
  stopServers,
  type TestServer,
} from '../../support/caption-server.js';
import { root } from '../../support/documents.js';

const folder = path.join(root, 'test', 'wyoming');
const temporary = mkdtempSync(path.join(tmpdir(), 'parakeet-wyoming-'));
const python = spawnSync('python3', ['-c', 'import venv, ensurepip'], { encoding: 'utf8' });
const hasPython = python.status === 0;

let server: TestServer;
let pcm: Buffer;
beforeAll(async () => {
  server = await startServer({ wyomingPort: 0 });
  pcm = await pcmOf('jfk.flac');
});
afterAll(async () => {
  await stopServers();
  rmSync(temporary, { recursive: true, force: true });
});

/** A connection that collects events. */
async function open(at = server) {
  const socket = connect(at.server.wyomingPort as number, '127.0.0.1');
  await once(socket, 'connect');
  const events: WyomingEvent[] = [];
  const parser = new EventParser();
  socket.on('data', (bytes) => events.push(...parser.push(bytes)));
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  const until = (type: string) =>
    expect.poll(() => events.map((event) => event.type), { timeout: 30_000 }).toContain(type);
  return { socket, events, closed, until };
}

const FORMAT = { rate: 16_000, width: 2, channels: 1 };
function chunk(sound: Buffer): Buffer {
  const head = { type: 'audio-chunk', data: FORMAT, payload_length: sound.length };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), sound]);
}

// Without Python there is no such client to test with.
test.skipIf(!hasPython)('with the client of Home Assistant', { timeout: 300_000 }, async () => {
  const environment = path.join(temporary, 'environment');
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', environment]);
  const program = path.join(
    environment,
    existsSync(path.join(environment, 'bin')) ? 'bin' : 'Scripts',
    'python',
  );
  const requirements = path.join(folder, 'requirements.txt');
  await run(program, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  const file = path.join(temporary, 'jfk.pcm');
  writeFileSync(file, pcm);
  const port = String(server.server.wyomingPort);
  const { stdout } = await run(program, [path.join(folder, 'client.py'), '127.0.0.1', port, file]);
  const { results, ...info } = JSON.parse(stdout);
  expect(info).toEqual({ model: 'parakeet', languages: ['en'], streaming: true, pong: 'hello' });
  expect(results).toHaveLength(2);
  expect(results[1]).toEqual(results[0]);
  expect(results[0].text).toMatch(/your country/);
  expect(results[0].chunks.join('')).toBe(results[0].text);
  expect(results[0].types.at(0)).toBe('transcript-start');
  expect(results[0].types.slice(-2)).toEqual(['transcript', 'transcript-stop']);
});

describe('a connection', () => {
  test('transcribes sound without audio-start, whatever unknown events are between', async () => {
    const { socket, events, until } = await open();
    socket.write(encodeEvent('dance', { now: true }));
    socket.write(chunk(pcm));
    socket.write(encodeEvent('audio-stop'));
    await until('transcript');
    expect(events.find(({ type }) => type === 'transcript')?.data.text).toMatch(/your country/);
    socket.destroy();
    await expectIdle(server);
  });

  test('that goes away in the middle leaves nothing', async () => {
    const { socket } = await open();
    socket.write(encodeEvent('audio-start', FORMAT));
    socket.write(chunk(pcm.subarray(0, 64_000)));
    await expect.poll(async () => (await stateOf(server)).streams).toBe(1);
    socket.destroy();
    await expectIdle(server);
  });

  test.each([
    ['no event', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['samples of five bytes', encodeEvent('audio-start', { ...FORMAT, width: 5 })],
    ['half a rate', encodeEvent('audio-start', { ...FORMAT, rate: 0.5 })],
    ['bytes at random', Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 251))],
  ])('is told of %s, and closed', async (_, bytes) => {
    const { socket, events, closed } = await open();
    socket.write(bytes);
    await closed;
    expect(events.map(({ type }) => type)).toEqual(['error']);
    expect(events[0]?.data.code).toMatch(/^ERR_PARAKEET_/);
    await expectIdle(server);
  });

  test('is refused beyond the capacity', async () => {
    const small = await startServer({ wyomingPort: 0, maxStreams: 1 });
    const [one, two] = [await open(small), await open(small)];
    one.socket.write(encodeEvent('audio-start', FORMAT));
    await one.until('transcript-start');
    two.socket.write(encodeEvent('audio-start', FORMAT));
    await two.closed;
    expect(two.events[0]).toMatchObject({ type: 'error', data: { code: 'ERR_PARAKEET_SERVER_BUSY' } });
    one.socket.destroy();
  });

  test('gets what was said when the server stops', async () => {
    const other = await startServer({ wyomingPort: 0 });
    const { socket, events, closed, until } = await open(other);
    const idle = await open(other);
    socket.write(chunk(pcm));
    await until('transcript-chunk');
    await other.server.close();
    await closed;
    await idle.closed;
    expect(events.find(({ type }) => type === 'transcript')?.data.text).toMatch(/fell America/);
  });
});
