/**
 * The packages that people use, unmodified, against our server: `openai` and `@deepgram/sdk`. They run on Node 22, which one of them asks for,
 * and over TLS, which one of them insists on. Their tests are in test/speech-clients and run by Node's own runner.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectIdle, pcmOf, startServer, stopServers, type TestServer } from '../support/caption-server.js';
import { certificate } from '../support/certificate.js';
import { root } from '../support/documents.js';
import { installed, nodeIn } from '../support/installed.js';

const TOKEN = 'a-token-of-a-client-0123';
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-clients-'));
const inFolder = (name: string) => path.join(folder, name);
let server: TestServer;
let clients = '';
beforeAll(async () => {
  clients = installed('speech-clients');
  const tls = certificate();
  writeFileSync(inFolder('cert.pem'), tls.cert);
  writeFileSync(inFolder('jfk.pcm'), await pcmOf('jfk.flac', 24_000));
  server = await startServer({
    tls,
    tokens: [{ name: 'test', token: TOKEN }],
    modelName: 'parakeet-tiny-en',
  });
}, 300_000);
afterAll(async () => {
  await stopServers();
  rmSync(folder, { recursive: true, force: true });
});

test.each([
  ['openai', 6],
  ['deepgram', 2],
])('%s', async (name, count) => {
  const child = spawn(
    nodeIn(clients),
    ['--test', '--test-reporter=tap', '--test-timeout=60000', path.join(clients, `${name}.test.mjs`)],
    {
      cwd: clients,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_EXTRA_CA_CERTS: inFolder('cert.pem'),
        SERVER: server.http.replace('127.0.0.1', 'localhost'),
        TOKEN,
        RECORDING: path.join(root, 'test/audio/jfk.flac'),
        PCM: inFolder('jfk.pcm'),
      },
    },
  );
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(stdout, `${stdout}\n${stderr}`).toContain(`# pass ${count}\n`);
  expect(stdout).toContain('# fail 0\n');
  await expectIdle(server);
});
