/** Where the packages lie must not matter, and what is missing is named with the command that mends it. */
import { execFileSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Consumer, PROGRAM } from './consumer.js';

let consumer: Consumer;
afterEach(() => consumer.remove());

test('a path with spaces and letters beyond ASCII, and a project that is moved', () => {
  consumer = new Consumer('Übung mit Leerzeichen 音声');
  consumer.must('npm', ['install', 'parakeet-stream']);
  consumer.hears();
  consumer.write('moved ñ/program.mjs', PROGRAM.replace('talk.flac', '../talk.flac'));
  const moved = path.join(consumer.folder, 'moved ñ');
  renameSync(path.join(consumer.folder, 'node_modules'), path.join(moved, 'node_modules'));
  consumer.hears('sh', ['-c', `cd "${moved}" && node program.mjs`]);
});

test('a read-only node_modules', () => {
  consumer = new Consumer();
  consumer.must('npm', ['install', 'parakeet-stream']);
  execFileSync('chmod', ['-R', 'a-w', path.join(consumer.folder, 'node_modules')]);
  // Root may write all the same, so it is the mark of files that counts: nothing is new or changed.
  const before = listing(consumer.folder);
  consumer.hears();
  expect(listing(consumer.folder)).toEqual(before);
});

test.each([
  ['npm', [], ['install', '--omit=optional', 'parakeet-stream'], ['install', '@parakeet-stream/linux-x64@']],
  [
    'pnpm',
    [['pnpm-workspace.yaml', 'minimumReleaseAge: 0\n']],
    ['add', '--no-optional', 'parakeet-stream'],
    ['add', '@parakeet-stream/linux-x64@'],
  ],
  ['bun', [], ['add', '--omit=optional', 'parakeet-stream'], ['add', '@parakeet-stream/linux-x64@']],
] as const)(
  '%s without optional dependencies: the error names the command that mends it',
  (manager, files, args, [verb, start]) => {
    consumer = new Consumer();
    for (const [file, text] of files) consumer.write(file, text);
    consumer.must(manager, args);
    const { status, stderr } = consumer.run('node', ['program.mjs']);
    expect(status).toBe(1);
    expect(stderr).toContain('ERR_PARAKEET_NATIVE_LOAD');
    const [, command = ''] = /Run `([^`]+)`/.exec(stderr) ?? [];
    expect(command).toMatch(new RegExp(`^${manager} ${verb} ${start}\\d+\\.\\d+\\.\\d+$`));
    const [, ...given] = command.split(' ');
    consumer.must(manager, given);
    consumer.hears();
  },
);

test('installed for another processor: the error says so, and the command brings the right package', () => {
  consumer = new Consumer();
  consumer.must('npm', ['install', '--os=linux', '--cpu=arm64', '--libc=glibc', 'parakeet-stream']);
  const { status, stderr } = consumer.run('node', ['program.mjs']);
  expect(status).toBe(1);
  expect(stderr).toContain('installed for another machine: it has @parakeet-stream/linux-arm64');
  const [, command = ''] = /Run `([^`]+)`/.exec(stderr) ?? [];
  consumer.must('npm', command.split(' ').slice(1));
  consumer.hears();
});

test('half installed: the missing library is named, and the command brings it back', () => {
  consumer = new Consumer();
  consumer.must('npm', ['install', 'parakeet-stream']);
  const library = 'lib/mlx/lib/libmlx.so';
  rmSync(path.join(consumer.folder, 'node_modules/@parakeet-stream/linux-x64', library));
  const { status, stderr } = consumer.run('node', ['program.mjs']);
  expect(status).toBe(1);
  expect(stderr).toContain(`only half installed: ${library} is missing`);
  const [, command = ''] = /Run `([^`]+)`/.exec(stderr) ?? [];
  consumer.link('rm', '/bin/rm');
  consumer.must('sh', ['-c', command]);
  consumer.hears();
});

/** Every file with the time of its last change. */
function listing(folder: string): string[] {
  const output = execFileSync('find', [folder, '-printf', '%P %T@\n'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return output.split('\n').sort();
}
