/** `parakeet build` compiles the addon from the package of sources, with the machine's own tools, and it is then the one that is taken. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Consumer } from './consumer.js';

let consumer: Consumer;
beforeEach(() => {
  consumer = new Consumer();
});
afterEach(() => consumer.remove());

test('without the sources, and without a compiler, it says what to install', () => {
  consumer.must('npm', ['install', 'parakeet-stream']);
  const first = consumer.run('npx', ['parakeet', 'build']);
  expect(first.status).toBe(1);
  const [, command = ''] = /Run `([^`]+)`/.exec(first.stderr) ?? [];
  expect(command).toMatch(/^npm install @parakeet-stream\/source@\d/);
  consumer.must('npm', command.split(' ').slice(1));
  const second = consumer.run('npx', ['parakeet', 'build']);
  expect(second.status).toBe(1);
  expect(second.stderr).toMatch(/a C\+\+20 compiler.*found none/s);
  consumer.hears();
});

test('it compiles, and the addon needs no package of a platform', () => {
  consumer.must('npm', ['install', 'parakeet-stream', '@parakeet-stream/source']);
  // What pip and ccache are set up with on this machine is in its environment.
  const env = { ...(process.env as Record<string, string>), CCACHE_BASEDIR: consumer.folder };
  const said = consumer.must('npx', ['parakeet', 'build'], env);
  const addon = 'node_modules/@parakeet-stream/source/build/Release/parakeet.node';
  expect(said.trim().split('\n').at(-1)).toBe(addon);
  rmSync(path.join(consumer.folder, 'node_modules/@parakeet-stream/linux-x64'), { recursive: true });
  consumer.hears();
});
