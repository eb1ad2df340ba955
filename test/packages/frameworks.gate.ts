/** Frameworks that have rules of their own for native addons. */
import { afterEach, expect, test } from 'vitest';
import { Consumer } from './consumer.js';

let consumer: Consumer;
afterEach(() => consumer.remove());

test('Next.js with serverExternalPackages: a route transcribes', () => {
  consumer = new Consumer();
  consumer.must('npm', ['install', 'parakeet-stream', 'next@16', 'react@19', 'react-dom@19']);
  consumer.write('next.config.mjs', "export default { serverExternalPackages: ['parakeet-stream'] };\n");
  consumer.write(
    'app/layout.js',
    'export default ({ children }) => <html lang="en"><body>{children}</body></html>;\n',
  );
  consumer.write(
    'app/transcript/route.js',
    `import { transcribe } from 'parakeet-stream';
export const dynamic = 'force-dynamic';
export async function GET() {
  return new Response((await transcribe('talk.flac')).text);
}
`,
  );
  consumer.must('npx', ['next', 'build']);
  consumer.write(
    'visit.mjs',
    `import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const next = ['node_modules/next/dist/bin/next', 'start', '-H', '127.0.0.1', '-p', String(port)];
const server = spawn(process.execPath, next, { stdio: ['ignore', 'ignore', 'inherit'] });
let answer;
for (let tries = 0; tries < 300 && !answer && server.exitCode === null; tries++) {
  answer = await fetch(\`http://127.0.0.1:\${port}/transcript\`).catch(() => undefined);
  if (!answer) await sleep(100);
}
console.log(answer?.status, await answer?.text());
server.kill();
`,
  );
  expect(consumer.must('node', ['visit.mjs']).toLowerCase()).toMatch(/^200 .*sign/);
});
