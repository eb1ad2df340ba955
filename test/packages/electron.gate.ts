/**
 * Electron, with an application in an archive and the packages beside it, as docs/installing.md says. Its program comes from outside the
 * registries: where it cannot be had, the test that runs it is skipped with the reason, which PARAKEET_ELECTRON=required makes a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, type TestContext, test } from 'vitest';
import { readDocument } from '../support/documents.js';
import { installed, nodeIn } from '../support/installed.js';
import { Consumer, PROGRAM } from './consumer.js';

/** What the packager is told, as the guide has it. */
const BESIDE = '**/node_modules/@parakeet-stream/**';

/** The main process: no window, a transcript of the recording that is named last. */
const MAIN = `import { app } from 'electron';
import { transcribe } from 'parakeet-stream';

app
  .whenReady()
  .then(() => transcribe(process.argv.at(-1)))
  .then(
    ({ text }) => {
      console.log('Electron', process.versions.electron, 'heard:', text);
      app.quit();
    },
    (error) => {
      console.error(error);
      app.exit(1);
    },
  );
`;

let consumer: Consumer;
beforeEach(() => {
  // Electron's tools need Node 22.
  consumer = new Consumer('project', nodeIn(installed('packages')));
});
afterEach(() => consumer.remove());

const at = (...parts: string[]) => path.join(consumer.folder, ...parts);

/** An application as a packager leaves it: app.asar, and app.asar.unpacked beside it. Nothing else has the packages. */
function packApplication(): void {
  consumer.must('npm', ['install', 'parakeet-stream']);
  consumer.write('app/main.mjs', MAIN);
  consumer.write('app/program.mjs', PROGRAM.replace('talk.flac', '../talk.flac'));
  consumer.write('app/package.json', '{ "name": "app", "version": "1.0.0", "main": "main.mjs" }\n');
  renameSync(at('node_modules'), at('app', 'node_modules'));
  for (const file of ['package.json', 'package-lock.json']) rmSync(at(file));
  consumer.must('npm', ['install', '@electron/asar@4', 'electron@45']);
  consumer.must('npx', ['asar', 'pack', 'app', 'app.asar', '--unpack', BESIDE]);
  rmSync(at('app'), { recursive: true });
}

test('the packages lie beside an archive of Electron, and are found from within it', () => {
  expect(readDocument('docs/installing.md')).toContain(`asarUnpack: ['${BESIDE}']`);
  packApplication();
  const modules = ['node_modules', '@parakeet-stream'];
  const beside = at('app.asar.unpacked', ...modules);
  const packages = readdirSync(beside);
  expect(packages).toEqual(expect.arrayContaining(['linux-x64', 'tiny-en']));

  // Electron shows the archive to JavaScript as a folder. Here it is one, without the files that native code reads.
  consumer.must('npx', ['asar', 'extract', 'app.asar', 'as-folder']);
  for (const name of packages) {
    const folder = at('as-folder', ...modules, name);
    for (const file of readdirSync(folder).filter((one) => one !== 'package.json'))
      rmSync(path.join(folder, file), { recursive: true });
  }
  mkdirSync(at('elsewhere'));
  renameSync(at('app.asar.unpacked'), at('elsewhere', 'app.asar.unpacked'));
  renameSync(at('as-folder'), at('elsewhere', 'app.asar'));
  renameSync(at('node_modules'), at('gone'));
  renameSync(at('talk.flac'), at('elsewhere', 'talk.flac'));
  consumer.hears('sh', ['-c', 'cd elsewhere/app.asar && exec node program.mjs']);
});

test('Electron: the main process transcribes', (context) => {
  packApplication();
  const program = electronProgram(context);
  const screen = process.platform === 'linux' && !process.env.DISPLAY ? xvfb(context) : [];
  // Runners of CI, and containers, have no sandbox to offer.
  const options = process.env.CI ? ['--no-sandbox'] : [];
  const [command = '', ...args] = [...screen, program, ...options, 'app.asar', 'talk.flac'];
  const { PATH = '', DISPLAY = '' } = process.env;
  const said = consumer.must(command, args, { PATH, ...(DISPLAY && { DISPLAY }) });
  expect(said).toMatch(/Electron 45\.\S+ heard:.*sign/i);
});

/** Fetches Electron's program as its package does. */
function electronProgram(context: TestContext): string {
  const passed = Object.entries(process.env).filter(([name]) =>
    /^(electron_|https?_proxy$|no_proxy$)/i.test(name),
  );
  const { status, stdout, stderr } = consumer.run(
    'node',
    ['node_modules/electron/install.js'],
    Object.fromEntries(passed) as Record<string, string>,
  );
  const program = path.join(
    process.env.ELECTRON_OVERRIDE_DIST_PATH ?? at('node_modules', 'electron', 'dist'),
    'electron',
  );
  if (status !== 0 || !existsSync(program)) {
    const [reason = `ended with ${status}`] = /^\w*Error: .*$/m.exec(`${stderr}\n${stdout}`) ?? [];
    return missing(context, `Electron's program could not be fetched: ${reason}`);
  }
  return program;
}

/** A screen for a machine without one. */
function xvfb(context: TestContext): string[] {
  const { stdout } = spawnSync('sh', ['-c', 'command -v xvfb-run'], { encoding: 'utf8' });
  const file = stdout.trim();
  return file ? [file, '--auto-servernum'] : missing(context, 'there is no screen, and no xvfb-run');
}

function missing({ skip, task }: TestContext, reason: string): never {
  if (process.env.PARAKEET_ELECTRON === 'required') throw new Error(reason);
  Object.assign(task.meta, { reason });
  return skip(reason);
}
