/**
 * A container's root folder with Node, the C and C++ libraries that Node is linked to, and the installed packages: no shell, no OpenMP
 * library, nothing else. What distroless images have.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Consumer } from './consumer.js';

let consumer: Consumer;
afterEach(() => consumer.remove());

/** What the dynamic loader says that a program needs, itself included. */
function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
}

test.runIf(process.getuid?.() === 0)('the packages need nothing that Node does not need', () => {
  consumer = new Consumer();
  consumer.must('npm', ['install', 'parakeet-stream']);
  const image = path.join(consumer.folder, 'image');
  const node = realpathSync(process.execPath);
  const libraries = librariesOf(node);
  expect(libraries.length).toBeGreaterThan(4);
  for (const file of libraries) {
    mkdirSync(path.join(image, path.dirname(file)), { recursive: true });
    copyFileSync(realpathSync(file), path.join(image, file));
  }
  mkdirSync(path.join(image, 'app'));
  copyFileSync(node, path.join(image, 'node'));
  for (const name of ['node_modules', 'program.mjs', 'talk.flac', 'package.json']) {
    cpSync(path.join(consumer.folder, name), path.join(image, 'app', name), { recursive: true });
  }
  const enter = `process.chdir('/app'); await import('/app/program.mjs');`;
  const args = [image, '/node', '--input-type=module', '--eval', enter];
  const { status, stdout, stderr } = spawnSync('chroot', args, {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout.toLowerCase()).toContain('sign');
});
