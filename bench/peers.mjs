/** What benches compare us with, and what they need beside this package: whether it is installed here, in which version, and the command that installs it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The Python that peers run in. */
export const python = () => process.env.PARAKEET_BENCH_PYTHON || 'python3';

/** OpenBLAS as the dynamic loader knows it. @returns {string | undefined} */
export function findOpenblas() {
  const { stdout } = spawnSync('sh', ['-c', 'PATH="$PATH:/sbin:/usr/sbin" ldconfig -p'], {
    encoding: 'utf8',
  });
  return /=> (.*libopenblas\.so\.0)$/m.exec(stdout ?? '')?.[1];
}

/** A package of Python: its version. */
const inPython = (name) => () => {
  const script = `import importlib.metadata as m; print(m.version(${JSON.stringify(name)}))`;
  const { status, stdout } = spawnSync(python(), ['-c', script], { encoding: 'utf8' });
  return status === 0 ? `${name} ${stdout.trim()}` : undefined;
};

const inPath = (program) => () =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0 ? program : undefined;

const pip = (...packages) => `${python()} -m pip install ${packages.join(' ')}`;

/** @type {Record<string, { find: () => string | undefined, install: string }>} */
export const peers = {
  mlx: {
    find: () =>
      existsSync(path.join(root, 'build-mlx', 'Release', 'parakeet.node'))
        ? "MLX's own operations"
        : undefined,
    install: 'node scripts/install.mjs --plain-mlx',
  },
  parakeetMlx: { find: inPython('parakeet-mlx'), install: pip('parakeet-mlx==0.7.0') },
  parakeetMlxOpenblas: {
    find: () => inPython('parakeet-mlx')() && findOpenblas() && 'parakeet-mlx with OpenBLAS',
    install: `${pip('parakeet-mlx==0.7.0')} && apt-get install -y libopenblas0`,
  },
  onnxFloat32: { find: inPython('onnxruntime'), install: pip('onnx', 'onnxruntime') },
  onnxInt8: { find: inPython('onnxruntime'), install: pip('onnx', 'onnxruntime') },
  sherpaInt8: { find: inPython('sherpa-onnx'), install: pip('onnx', 'sherpa-onnx') },
  'redis-server': { find: inPath('redis-server'), install: 'apt-get install -y redis-server' },
};

/** Of some names, what is there (with its version) and what is missing (with the command). */
export function lookFor(names, known = peers) {
  const there = {};
  const missing = {};
  for (const name of names) {
    const found = known[name].find();
    if (found) there[name] = found;
    else missing[name] = known[name].install;
  }
  return { there, missing };
}
