/**
 * Builds the addon for Linux arm64 and runs it, on such a machine or emulated: the engine's own program with the goldens, its kernels on
 * each kind of CPU against those of this machine, `parakeet verify`, and the demo's transcript. Needs dist/ and the addon of this
 * machine. Takes a quarter of an hour when emulated.
 *
 *     npm run test:arm64 [-- --only kernels]
 *
 * `--only`: the checks whose names contain that. The result of all is in docs/verified.json.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { randomModel } from '../bench/random-model.mjs';
import { relativeDifference } from '../dist/verify/check.js';
import { arm64Machine } from './arm64-machine.mjs';
import { describeGoldens } from './golden-description.mjs';
import { InstallError } from './install-error.mjs';
import { checkTarget, checkTools } from './toolchain.mjs';
import { record } from './verified.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const build = path.join(root, 'build-linux-arm64');
const mlx = path.join(root, 'vendor-linux-arm64', 'mlx');
const addon = path.join(build, 'Release', 'parakeet.node');
const work = mkdtempSync(path.join(tmpdir(), 'parakeet-arm64-'));
/** The newest glibc that MLX's wheel asks for: the addon must not ask for a newer one. */
const glibc = [2, 35];
/** Frames of the longest noise that is encoded: several tiles, and what an emulator does in seconds. */
const most = '40';

try {
  await main();
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function main() {
  const start = performance.now();
  const target = checkTarget('linux-arm64', process.env);
  const tools = checkTools(target, process.env);
  must(process.execPath, [path.join(root, 'scripts', 'install.mjs'), '--target', 'linux-arm64'], 'inherit');
  const machine = arm64Machine(process.env);
  const program = compileEngine(tools.compiler);
  const goldens = await describeGoldens(work);

  const checks = [['library', () => needsNoNewerLibrary()]];
  for (const cpu of machine.cpus) {
    checks.push([`engine, ${cpu.cpu}`, () => succeeds(machine.run(cpu.cpu, program, ['1', ...goldens]))]);
    checks.push([`instructions, ${cpu.cpu}`, () => usesInstructions(machine, cpu)]);
    for (const [dtype, most] of [
      ['float32', 1e-5],
      ['bfloat16', 2e-2],
      ['int8', 4e-2],
      ['int4', 0.2],
    ])
      checks.push([`kernels in ${dtype}, ${cpu.cpu}`, () => strays(machine, cpu.cpu, dtype) < most]);
  }
  const usual = machine.cpus.at(1) ?? machine.cpus[0];
  const command = path.join(root, 'dist', 'cli', 'main.js');
  checks.push([
    'verify',
    () => succeeds(onArm64(machine, usual.cpu, [command, 'verify', '--dtype', 'int8'])),
  ]);
  checks.push(['demo', () => hearsAsHere((args, options) => onArm64(machine, usual.cpu, args, options))]);

  const { only } = parseArgs({ options: { only: { type: 'string' } } }).values;
  const failed = [];
  for (const [name, check] of checks.filter(([name]) => !only || name.includes(only))) {
    const begin = performance.now();
    const passed = check();
    if (!passed) failed.push(name);
    const seconds = ((performance.now() - begin) / 1000).toFixed(0);
    process.stdout.write(`${passed ? 'ok  ' : 'FAIL'}  ${name} (${seconds} s)\n`);
  }
  process.exitCode = failed.length === 0 ? 0 : 1;
  if (only) return;
  record('arm64', {
    passed: failed.length === 0,
    ...(failed.length > 0 ? { failed } : {}),
    machine: machine.name,
    cpus: machine.cpus.map(({ cpu }) => cpu).join(', '),
    checks: checks.length,
    seconds: Math.round((performance.now() - start) / 1000),
  });
}

/** The engine without Node (native/test), from the objects of the addon. */
function compileEngine(compiler) {
  const objects = path.join(build, 'CMakeFiles', 'parakeet.dir', 'native');
  const engine = filesIn(objects, '.cpp.o').filter(
    (file) => !file.startsWith(path.join(objects, 'binding', '/')),
  );
  // A source that was moved or deleted leaves its object behind.
  const current = engine.filter((file) =>
    filesIn(path.join(root, 'native'), '.cpp').includes(
      path.join(root, 'native', path.relative(objects, file).replace(/\.o$/, '')),
    ),
  );
  const program = path.join(work, 'engine');
  const library = path.join(mlx, 'lib');
  must(compiler, [
    ...[
      '-std=c++20',
      '-O1',
      '-pthread',
      '-Inative',
      '-fvisibility=hidden',
      '-isystem',
      path.join(mlx, 'include'),
    ],
    ...[...filesIn(path.join(root, 'native', 'test'), '.cpp'), ...current, '-o', program],
    ...[`-L${library}`, `-Wl,-rpath,${library}`, '-Wl,--allow-shlib-undefined', '-lmlx', '-ldl'],
  ]);
  return program;
}

function filesIn(folder, ending) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(folder, name));
}

function needsNoNewerLibrary() {
  const versions = [...readFileSync(addon, 'latin1').matchAll(/GLIBC_(\d+)\.(\d+)/g)];
  return (
    versions.length > 0 &&
    versions.every(([, major, minor]) => Number(major) === glibc[0] && Number(minor) <= glibc[1])
  );
}

function usesInstructions(machine, { cpu, instructions }) {
  const script = 'process.stdout.write(String(require(process.env.PARAKEET_ADDON).build().instructions))';
  const { status, stdout } = onArm64(machine, cpu, ['-e', script]);
  return status === 0 && (instructions === undefined ? stdout.startsWith('neon') : stdout === instructions);
}

/** How far the frames of a small encoder, whose widths no tile divides, are from this machine's in float32. */
function strays(machine, cpu, dtype) {
  const model = randomModel('custom', {
    dtype: 'float32',
    size: { layers: 2, width: 72, features: 24, vocabulary: 40 },
    out: path.join(work, 'model'),
  });
  const script = path.join(root, 'test', 'support', 'encode-shapes.mjs');
  const expected = path.join(work, 'expected.f32'),
    found = path.join(work, 'found.f32');
  if (!succeeds(onThis([script, model, 'float32', expected, most]))) return Number.POSITIVE_INFINITY;
  if (!succeeds(onArm64(machine, cpu, [script, model, dtype, found, most]))) return Number.POSITIVE_INFINITY;
  return relativeDifference(floatsIn(found), floatsIn(expected));
}

function floatsIn(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Whether the demo, a stream, writes the words that it writes on this machine. */
function hearsAsHere(run) {
  const here = demoText(onThis),
    there = demoText(run);
  if (here !== there) process.stderr.write(`here: ${here}\nthere: ${there}\n`);
  return here.length > 0 && here === there;
}

/** The words of the subtitles that the demo writes; none when it fails. */
function demoText(run) {
  const folder = mkdtempSync(path.join(work, 'demo-'));
  if (!succeeds(run([path.join(root, 'examples', 'demo.mjs')], { cwd: folder }))) return '';
  const [subtitles] = readdirSync(folder).filter((name) => name.endsWith('.srt'));
  return readFileSync(path.join(folder, subtitles), 'utf8')
    .replace(/^\d+$|^.*-->.*$/gm, '')
    .split(/\s+/)
    .join(' ');
}

function onThis(args, options) {
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', ...options });
}

function onArm64(machine, cpu, args, options) {
  return machine.run(cpu, machine.node, args, { ...options, env: { PARAKEET_ADDON: addon } });
}

function succeeds({ status, stdout, stderr }) {
  if (status !== 0) process.stderr.write(`${stdout}\n${stderr}\n`);
  return status === 0;
}

function must(command, args, stdio = 'pipe') {
  const { status, stderr, error } = spawnSync(command, args, { cwd: root, stdio, encoding: 'utf8' });
  if (status !== 0) throw error ?? new InstallError(`${path.basename(command)} failed:\n${stderr ?? ''}`);
}
