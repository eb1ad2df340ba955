/**
 * parakeet-mlx beside us: starts bench/reference.py where Python has the package, and asks it for transcripts of
 * features. Where it is not installed there is no reference, and that is not an error.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Starts the reference with the weights of `modelFolder`; `null` when `PARAKEET_MLX_PYTHON` (default `python3`) cannot
 * import parakeet_mlx.
 *
 * @param {string} modelFolder
 * @returns {Promise<Reference | null>}
 */
export async function startReference(modelFolder) {
  const python = process.env.PARAKEET_MLX_PYTHON || 'python3';
  // On Linux, `pip install parakeet-mlx` brings MLX without its library; ours is the same version.
  const library = path.join(root, 'vendor', 'mlx', 'lib');
  const paths = [process.env.LD_LIBRARY_PATH, existsSync(library) ? library : undefined].filter(Boolean);
  const env = { ...process.env, LD_LIBRARY_PATH: paths.join(path.delimiter) };
  const probe = spawnSync(python, ['-c', 'import mlx.core, numpy, parakeet_mlx'], { env, stdio: 'ignore' });
  if (probe.status !== 0) return null;
  const script = fileURLToPath(new URL('reference.py', import.meta.url));
  const child = spawn(python, [script, modelFolder], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const reference = new Reference(child, await mkdtemp(path.join(os.tmpdir(), 'parakeet-reference-')));
  await reference.answer();
  return reference;
}

export class Reference {
  #child;
  #folder;
  #lines;

  /**
   * @param {import('node:child_process').ChildProcessByStdio<import('node:stream').Writable, import('node:stream').Readable, null>} child
   * @param {string} folder
   */
  constructor(child, folder) {
    this.#child = child;
    this.#folder = folder;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line that it prints. */
  async answer() {
    const { value, done } = await this.#lines.next();
    if (done)
      throw new Error('Expected an answer from bench/reference.py but it ended; see its message above');
    return JSON.parse(value);
  }

  /**
   * The transcript of normalised features, row-major.
   *
   * @param {{ data: Float32Array, rows: number, columns: number }} features
   * @returns {Promise<string>}
   */
  async transcribe({ data, rows, columns }) {
    const file = path.join(this.#folder, 'features.f32');
    await writeFile(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.#child.stdin.write(`${JSON.stringify({ features: file, frames: rows, bins: columns })}\n`);
    return (await this.answer()).text;
  }

  async close() {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    await rm(this.#folder, { recursive: true, force: true });
  }
}
