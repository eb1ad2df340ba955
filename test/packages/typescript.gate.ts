/** TypeScript programs under each resolution, as ES modules and as CommonJS where Node can require ES modules. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Consumer } from './consumer.js';

const ESM = `import { createReadStream } from 'node:fs';
import { loadModel, parakeet, type TranscriptEvent } from 'parakeet-stream';
import { decode } from 'parakeet-stream/stages';

const model = await loadModel();
let text = '';
for await (const event of createReadStream('talk.flac').pipe(parakeet({ model }))) {
  const known: TranscriptEvent = event;
  if (known.type === 'sentence') text += known.sentence.text;
}
await model.close();
console.log(text, typeof decode);
`;

const CJS = `import parakeet = require('parakeet-stream');
import type { TranscriptEvent } from 'parakeet-stream' with { 'resolution-mode': 'import' };

const seen: TranscriptEvent['type'][] = [];
void parakeet.transcribe('talk.flac').then(({ text }) => console.log(text, seen.length));
`;

const WRONG = `import { transcribe } from 'parakeet-stream';
const { text } = await transcribe('talk.flac');
const count: number = text;
console.log(count);
`;

let consumer: Consumer;
beforeAll(() => {
  consumer = new Consumer();
  consumer.must('npm', ['install', 'parakeet-stream', 'typescript@5.9', '@types/node@22', '@types/pumpify']);
});
afterAll(() => consumer.remove());

function compile(file: string, module: string, moduleResolution: string) {
  const options = ['--strict', '--target', 'ES2022', '--skipLibCheck', 'false', '--types', 'node'];
  return consumer.run('npx', [
    'tsc',
    ...options,
    '--module',
    module,
    '--moduleResolution',
    moduleResolution,
    file,
  ]);
}

test.each([
  ['nodenext', 'NodeNext', 'NodeNext'],
  ['node16', 'Node16', 'Node16'],
  ['bundler', 'ESNext', 'Bundler'],
])('an ES module with %s', (name, module, resolution) => {
  consumer.write(`${name}.mts`, ESM);
  expect(compile(`${name}.mts`, module, resolution)).toMatchObject({ status: 0, stdout: '' });
  consumer.hears('node', [`${name}.mjs`]);
});

test('a CommonJS module with nodenext', () => {
  consumer.write('common.cts', CJS);
  expect(compile('common.cts', 'NodeNext', 'NodeNext')).toMatchObject({ status: 0, stdout: '' });
  consumer.hears('node', ['common.cjs']);
});

test('the types are there: a wrong use is an error', () => {
  consumer.write('wrong.mts', WRONG);
  const { status, stdout } = compile('wrong.mts', 'NodeNext', 'NodeNext');
  expect(status).not.toBe(0);
  expect(stdout).toContain('wrong.mts(3,7): error TS2322');
});
