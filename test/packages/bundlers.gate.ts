/** Bundles of a program and of the package's JavaScript; the addon and the model stay packages, found from the bundle. */
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'vitest';
import { Consumer } from './consumer.js';

let consumer: Consumer;
beforeEach(() => {
  consumer = new Consumer();
});
afterEach(() => consumer.remove());

/** On another machine, so to speak: only the bundle, the addon's package and the model's are there. */
function hearsElsewhere(bundle = 'bundle.mjs'): void {
  const at = (...parts: string[]) => path.join(consumer.folder, ...parts);
  mkdirSync(at('elsewhere', 'node_modules'), { recursive: true });
  renameSync(at('node_modules', '@parakeet-stream'), at('elsewhere', 'node_modules', '@parakeet-stream'));
  renameSync(at('out'), at('elsewhere', 'out'));
  renameSync(at('node_modules'), at('gone'));
  consumer.hears('node', [`elsewhere/out/${bundle}`]);
}

test('esbuild', () => {
  consumer.must('npm', ['install', 'parakeet-stream', 'esbuild@0.28']);
  const options = ['--bundle', '--platform=node', '--format=esm', '--outfile=out/bundle.mjs'];
  // CommonJS packages inside the bundle call require.
  const require = "--banner:js=import{createRequire as r}from'node:module';const require=r(import.meta.url);";
  consumer.must('npx', ['esbuild', 'program.mjs', ...options, require]);
  hearsElsewhere();
});

test('esbuild, to CommonJS', () => {
  consumer.must('npm', ['install', 'parakeet-stream', 'esbuild@0.28']);
  consumer.write(
    'program.mjs',
    "import { transcribe } from 'parakeet-stream';\ntranscribe('talk.flac').then(({ text }) => console.log(text));\n",
  );
  consumer.must('npx', ['esbuild', 'program.mjs', '--bundle', '--platform=node', '--outfile=out/bundle.cjs']);
  hearsElsewhere('bundle.cjs');
});

test('webpack', () => {
  consumer.must('npm', ['install', 'parakeet-stream', 'webpack@5', 'webpack-cli@6']);
  consumer.write(
    'webpack.config.mjs',
    `export default {
  mode: 'production',
  target: 'node20',
  entry: './program.mjs',
  experiments: { outputModule: true },
  output: { filename: 'bundle.mjs', path: import.meta.dirname + '/out', module: true, library: { type: 'module' } },
};
`,
  );
  consumer.must('npx', ['webpack']);
  hearsElsewhere();
});
