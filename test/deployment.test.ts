/**
 * The service of docs/deployment.md, with uploads that take longer than Node allows a request by default. Time runs 600 times faster: what Node's five minutes
 * are here is half a second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeBlocks, Project, readDocument } from './support/documents.js';

/** Node's default of 300 s as half a second, for whoever does not set it. */
const FASTER = `
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
const { createServer } = http;
http.createServer = (options, listener) =>
  typeof options === 'function'
    ? createServer({ requestTimeout: 500, connectionsCheckingInterval: 50 }, options)
    : createServer({ requestTimeout: 500, connectionsCheckingInterval: 50, ...options }, listener);
syncBuiltinESMExports();
`;

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

/** The service, without the request that the guide tries it out with. */
function service(): string {
  const [program] = codeBlocks(readDocument('docs/deployment.md'), 'js').filter((one) =>
    one.includes('createServer'),
  );
  const [server] = (program ?? '').split('server.listen(');
  return `${server}server.listen(0, '127.0.0.1', () => console.log(server.address().port));\n`;
}

async function upload(program: string): Promise<{ status: number | undefined; body: string }> {
  project.write('faster.mjs', FASTER);
  project.write('service.mjs', program);
  const child = spawn(process.execPath, ['--import', './faster.mjs', 'service.mjs'], { cwd: project.folder });
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const sound = readFileSync(path.join(project.folder, 'talk.flac'));
    const sending = request({
      host: '127.0.0.1',
      port: Number(port.toString()),
      method: 'POST',
      agent: false,
    });
    const answered = once(sending, 'response') as Promise<[import('node:http').IncomingMessage]>;
    sending.on('error', () => {});
    answered.catch(() => {});
    const pieces = 12;
    for (let i = 0; i < pieces && !sending.destroyed; i++) {
      sending.write(sound.subarray((i * sound.length) / pieces, ((i + 1) * sound.length) / pieces));
      await sleep(100);
    }
    sending.end();
    const [answer] = await answered;
    return { status: answer.statusCode, body: await text(answer) };
  } finally {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}

test('an upload that takes longer than Node gives a request is transcribed to its end', async () => {
  const { status, body } = await upload(service());
  expect({ status, body: body.toLowerCase() }).toEqual({
    status: 200,
    body: expect.stringContaining('sign'),
  });
});

test('without the option that the guide sets it would be lost', async () => {
  const { status } = await upload(service().replace('{ requestTimeout: 0 }, ', ''));
  expect(status).toBe(408);
});
