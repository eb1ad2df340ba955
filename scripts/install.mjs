/**
 * Fetches MLX and oneDNN into vendor/, then builds the native addon: `npm run build:native` and, in @parakeet-stream/source, `parakeet build`.
 * A second run does nothing. It downloads nothing but those wheels.
 *
 * With PARAKEET_BACKEND=cuda it builds a second addon, in build-cuda/ with its MLX in vendor-cuda/: the loader takes it where there is a
 * card. PARAKEET_CUDA_LIBRARIES=fetch brings NVIDIA's libraries as well, 2.4 GB.
 *
 * `node scripts/install.mjs --mutants` makes a build that tests can break on purpose, in build-mutants/; `--plain-mlx` one without
 * oneDNN, in build-mlx/, for scripts/test-plain-mlx.mjs and bench/encoder.mjs; `--target linux-arm64` one for that platform, compiled
 * here, in build-linux-arm64/, with its MLX in vendor-linux-arm64/.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddon } from './build-addon.mjs';
import { InstallError } from './install-error.mjs';
import { checkPlatform, checkTarget, checkTools } from './toolchain.mjs';
import { fetchWheels, hasSystemOnednn, requirementsFor } from './wheels.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const require = createRequire(import.meta.url);

/** Everything that the addon's bytes depend on, as one hash. */
function hashInputs(target, variant) {
  const hash = createHash('sha256');
  const add = (name, text) => hash.update(`${name}\0${text}\0`);
  add('target', JSON.stringify({ ...target, ...variant, mlxRoot: process.env.MLX_ROOT ?? '' }));
  for (const dependency of ['node-addon-api', 'node-api-headers']) {
    add(dependency, require(`${dependency}/package.json`).version);
  }
  for (const folder of ['native', 'scripts/requirements']) {
    const names = readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
      .sort();
    for (const name of names) add(path.relative(root, name), readFileSync(name));
  }
  add('CMakeLists.txt', readFileSync(path.join(root, 'CMakeLists.txt')));
  return hash.digest('hex');
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function options() {
  const { values } = parseArgs({
    options: {
      mutants: { type: 'boolean', default: false },
      'plain-mlx': { type: 'boolean', default: false },
      target: { type: 'string' },
    },
  });
  const { mutants, 'plain-mlx': plainMlx } = values;
  if (values.target)
    return [
      { mutants, plainMlx, suffix: `-${values.target}`, target: checkTarget(values.target, process.env) },
    ];
  const target = checkPlatform(process.env);
  const own = { mutants, plainMlx, suffix: '', target };
  if (target.backend !== 'cuda') return [own];
  const onCpu = checkPlatform({ ...process.env, PARAKEET_BACKEND: '' });
  return [{ ...own, target: onCpu }, ...(mutants || plainMlx ? [] : [{ ...own, suffix: '-cuda' }])];
}

function install({ mutants, plainMlx, suffix, target }) {
  const out = path.join(root, `${mutants ? 'build-mutants' : plainMlx ? 'build-mlx' : 'build'}${suffix}`);
  const addon = path.join(out, 'Release', 'parakeet.node');
  const stamp = path.join(out, 'stamp');

  const inputs = hashInputs(target, { mutants, plainMlx });
  if (existsSync(addon) && readIfThere(stamp) === inputs) return;

  const tools = checkTools(target, process.env);
  const vendor = path.join(root, `vendor${suffix}`);
  for (const requirement of requirementsFor(target, process.env)) {
    if (requirement.name === 'onednn' && hasSystemOnednn(path.join(root, 'scripts', 'find-onednn'), tools))
      continue;
    fetchWheels(requirement, {
      vendor,
      folder: path.join(root, 'scripts', 'requirements'),
      wheels: target.cross?.wheels,
      tools,
    });
  }
  const mlxRoot = process.env.MLX_ROOT || path.join(vendor, 'mlx');
  buildAddon({ root, out, mutants, plainMlx, mlxRoot, cross: target.cross, tools });

  mkdirSync(out, { recursive: true });
  writeFileSync(stamp, inputs);
}

try {
  for (const build of options()) install(build);
} catch (error) {
  if (!(error instanceof InstallError)) throw error;
  process.stderr.write(`\nThe native addon of parakeet-stream could not be built.\n${error.message}\n\n`);
  process.exitCode = 1;
}
