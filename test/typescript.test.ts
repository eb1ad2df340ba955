/**
 * The package as a TypeScript program sees it: every program of the README, the guides and examples/ is compiled, strictly, as TypeScript, with the
 * ways of finding modules that people use; and the pipelines that people write.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compilerErrors } from './support/compile.js';
import { codeBlocks, Project, readDocument, root } from './support/documents.js';

const documents = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const examples = readdirSync(path.join(root, 'examples')).filter((name) => name.endsWith('.mjs'));

/** What people write between the stages. Each `// error` marks a line that must not compile. */
const pipelines = `
import { createReadStream } from 'node:fs';
import { Duplex, finished, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { mic, merge, parakeet, srtWriter, type AudioChunk, type TranscriptEvent } from 'parakeet-stream';
import { decode, resample, sentences, Stage } from 'parakeet-stream/stages';

const source = createReadStream('talk.flac');
await pipeline(source, parakeet(), async function* (events) {
  for await (const event of events) {
    if (event.type === 'sentence') event.sentence.text.trim();
    if (event.type !== 'draft') yield event;
    event.sentence; // error
  }
}, srtWriter('x.srt'));
await pipeline(source, parakeet(), async function (events) {
  for await (const event of events) if (event.type === 'token') event.token.start.toFixed(2);
});
await pipeline(source, parakeet(), async (events) => {
  for await (const event of events) event.nothing; // error
});
await pipeline(source, decode(), async function* (chunks) {
  for await (const chunk of chunks) if (chunk.sampleRate > 8000) yield chunk;
}, resample(16_000), async function (chunks) {
  for await (const chunk of chunks) chunk.channels[0]?.length;
});
await pipeline(mic(), parakeet(), srtWriter('x.srt'));
await pipeline(merge({ Anna: source.pipe(parakeet()) }), srtWriter('x.srt'));
source.pipe(decode()).pipe(resample(16_000));
finished(parakeet(), () => {});
finished(mic(), () => {});
const events: AsyncIterable<TranscriptEvent> = parakeet();
const readable: Readable = parakeet();
Readable.toWeb(parakeet());
Duplex.toWeb(parakeet());
class Quieter extends Stage<AudioChunk, AudioChunk> {
  protected override async process(chunk: AudioChunk): Promise<void> {
    await this.emitOne(chunk);
  }
}
await pipeline(source, decode(), new Quieter(), resample(16_000), async (chunks) => {
  for await (const { sampleRate } of chunks) sampleRate.toFixed();
});
for await (const event of parakeet().pipe(sentences())) if (event.type === 'end') event.stats.steps.toFixed();
export { events, readable };
`;

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

/** The programs by file, as TypeScript. */
function programs(): Record<string, string> {
  const found: Record<string, string> = { 'pipelines.mts': pipelines };
  for (const document of documents) {
    const text = readDocument(document);
    for (const language of ['js', 'js no-run'] as const) {
      // A block that imports nothing is a part of another program.
      const whole = codeBlocks(text, language).filter((program) => program.includes('import '));
      whole.forEach((program, index) => {
        found[`${path.basename(document, '.md')}-${language.replace(' ', '-')}-${index + 1}.mts`] = program;
      });
    }
  }
  for (const example of examples)
    found[example.replace('.mjs', '.mts')] = readDocument(`examples/${example}`).replace(/^#!.*/, '');
  return found;
}

const expected = pipelines
  .split('\n')
  .flatMap((line, index) => (line.endsWith('// error') ? [`pipelines.mts(${index + 1}`] : []));

test.each([
  ['nodenext', { module: 'NodeNext', moduleResolution: 'NodeNext' }],
  ['node16', { module: 'Node16', moduleResolution: 'Node16' }],
  ['bundler', { module: 'ESNext', moduleResolution: 'Bundler' }],
])('every program compiles with module resolution %s, and the types go from stage to stage', (_, options) => {
  const said = compilerErrors(project, programs(), { strict: true, skipLibCheck: false, ...options });
  // What a program lacks only as TypeScript: types of its own parameters and of variables that begin empty, and what Node's types leave open.
  const own = said.filter(
    (line) =>
      !line.includes('AddressInfo') &&
      !/error TS(7006|7031|7034|7005|7053|7018|18046|18047|18048|2345|7016)/.test(line),
  );
  expect(own.filter((line) => !line.startsWith('pipelines.mts'))).toEqual([]);
  expect(said.filter((line) => line.startsWith('pipelines.mts')).map((line) => line.split(',')[0])).toEqual(
    expected,
  );
});
