/** `parakeet serve` as a program: it listens, it logs who came, and it ends in good order. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { pcmOf, TestSocket } from '../support/caption-server.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const TOKEN = 'the-token-of-the-studio';
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-serve-'));
const running: ChildProcessWithoutNullStreams[] = [];
beforeAll(() => {
  writeFileSync(path.join(folder, 'tokens'), `studio ${TOKEN}\n`);
});
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Starts it and collects what it writes. */
function serve(...args: string[]) {
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', ...args], { cwd: folder });
  running.push(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const address = async () => {
    await vi.waitFor(() => expect(said.stderr).toMatch(/listening on/), { timeout: 60_000 });
    return /listening on (http\S+:\d+)/.exec(said.stderr)?.[1] as string;
  };
  return { child, said, ended, address };
}

test('SIGTERM: what was said is delivered, exit code 0; the log names the client, and neither words nor secrets', async () => {
  const { child, said, ended, address } = serve(
    '--max-streams',
    '2',
    '--token-file',
    'tokens',
    '--log-level',
    'debug',
  );
  const http = await address();
  expect(said.stderr).toContain('2 live transcripts at once');
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${http}/v1/tickets`, { method: 'POST', headers });
  const { ticket } = (await answer.json()) as { ticket: string };
  const query = `encoding=linear16&sample_rate=16000&keyterm=Rumpelstiltskin&ticket=${ticket}`;
  const socket = await TestSocket.open(`${http.replace('http', 'ws')}/v1/listen?${query}`);
  const text = new FormData();
  text.append('model', 'x');
  text.append('file', new Blob(['a text that is no sound '.repeat(50)]));
  await fetch(`${http}/v1/audio/transcriptions`, { method: 'POST', headers, body: text });
  socket.sound(await pcmOf('jfk.flac'));
  await socket.until('Results');
  child.kill('SIGTERM');
  expect(await socket.closed).toMatchObject({ code: 1013 });
  expect(JSON.stringify(socket.of('Results'))).toMatch(/do for your country/);
  expect(await ended).toBe(0);
  const lines = said.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(
    expect.objectContaining({ client: 'studio', protocol: 'deepgram', msg: 'live transcript opened' }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ client: 'studio', code: 'ERR_PARAKEET_UNSUPPORTED_FORMAT' }),
  );
  for (const secret of [TOKEN, ticket, 'country', 'no sound', 'Rumpelstiltskin'])
    expect(said.stdout).not.toContain(secret);
});

test('Ctrl-C twice ends it at once', async () => {
  const { child, ended, address } = serve(
    '--max-streams',
    '1',
    '--stop-timeout',
    '60',
    '--log-level',
    'none',
  );
  const http = await address();
  const socket = await TestSocket.open(`${http.replace('http', 'ws')}/v1/realtime`);
  // It does not take part in the end.
  (socket.socket as unknown as { _socket: import('node:net').Socket })._socket.pause();
  child.kill('SIGINT');
  await vi.waitFor(async () => expect((await fetch(`${http}/ready`)).status).toBe(503));
  child.kill('SIGINT');
  expect(await ended).toBe(130);
  socket.socket.terminate();
});

describe('what makes no sense', () => {
  test.each<[string, string[], RegExp, number]>([
    ['an open address without tokens', ['--host', '0.0.0.0'], /--token-file/, 1],
    ['a certificate without its key', ['--tls-cert', 'tokens'], /both --tls-cert and --tls-key/, 2],
    ['a token file that is not there', ['--token-file', 'nowhere'], /cannot be read/, 1],
    ['no number of streams', ['--max-streams', 'many'], /--max-streams/, 2],
  ])('%s', async (_, args, message, code) => {
    const { said, ended } = serve(...args);
    expect(await ended).toBe(code);
    expect(said.stderr).toMatch(message);
  });
});

test('without its packages it says what to install', async () => {
  // A loader that does not find fastify, as where it is not installed.
  const hook = path.join(folder, 'without.mjs');
  const resolve = `export const resolve = (name, context, next) => {
    if (name === 'fastify') throw Object.assign(new Error("Cannot find package 'fastify'"), { code: 'ERR_MODULE_NOT_FOUND' });
    return next(name, context);
  };`;
  writeFileSync(
    hook,
    `import { register } from 'node:module';\nregister(${JSON.stringify(`data:text/javascript,${encodeURIComponent(resolve)}`)});\n`,
  );
  const child = spawn(process.execPath, ['--import', hook, main, 'serve', '--port', '0'], { cwd: folder });
  running.push(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  expect((await once(child, 'close'))[0]).toBe(1);
  expect(said).toMatch(
    /npm install fastify @fastify\/websocket @fastify\/multipart @fastify\/static prom-client/,
  );
});
