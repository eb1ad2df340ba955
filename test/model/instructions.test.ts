/**
 * The CPU's kernels in one instruction set against those in another: each set that this machine has must give what the oldest
 * does, for widths that no tile divides. oneDNN's own variable names the newest set to use; ours follow it.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomModel } from '../../bench/random-model.mjs';
import { relativeDifference } from '../../src/verify/check.js';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../support/encode-shapes.mjs', import.meta.url));
const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let work: string;
beforeAll(() => {
  work = mkdtempSync(path.join(tmpdir(), 'parakeet-instructions-'));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function environment(instructions: string): NodeJS.ProcessEnv {
  return { ...process.env, ONEDNN_MAX_CPU_ISA: instructions };
}

async function encoded(folder: string, dtype: string, instructions: string): Promise<Float32Array> {
  const output = path.join(work, `${instructions}-${dtype}.f32`);
  await run(process.execPath, [script, folder, dtype, output], { env: environment(instructions) });
  const bytes = readFileSync(output);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

// Heads of 5, 6 and 9 values: nothing is a multiple of a register, and widths end within a tile.
describe.each([40, 48, 72])('an encoder of width %d', (width) => {
  let folder: string;
  let oldest: Float32Array;
  beforeAll(async () => {
    folder = randomModel('custom', {
      dtype: 'float32',
      size: { layers: 2, width, features: 24, vocabulary: 40 },
      out: path.join(work, `width-${width}`),
    });
    oldest = await encoded(folder, 'float32', 'SSE41');
  });

  test.each([
    ['float32', 'AVX', 1e-5],
    ['float32', 'AVX2', 1e-5],
    ['float32', 'AVX512_CORE', 1e-5],
    ['float32', 'DEFAULT', 1e-5],
    ['bfloat16', 'SSE41', 2e-2],
    ['bfloat16', 'AVX2', 2e-2],
    ['bfloat16', 'AVX512_CORE_BF16', 2e-2],
    ['bfloat16', 'DEFAULT', 2e-2],
    ['int8', 'SSE41', 4e-2],
    ['int8', 'AVX2', 4e-2],
    ['int8', 'AVX2_VNNI', 4e-2],
    ['int8', 'AVX512_CORE', 4e-2],
    ['int8', 'AVX512_CORE_VNNI', 4e-2],
    ['int8', 'DEFAULT', 4e-2],
    // Four bits where the width is groups of 16, as 48 and four times any of them.
    ['int4', 'SSE41', 0.2],
    ['int4', 'AVX2', 0.2],
    ['int4', 'AVX2_VNNI', 0.2],
    ['int4', 'AVX512_CORE', 0.2],
    ['int4', 'AVX512_CORE_VNNI', 0.2],
    ['int4', 'DEFAULT', 0.2],
  ])(
    'in %s with %s strays less than %d from float32 in the oldest set',
    async (dtype, instructions, most) => {
      expect(relativeDifference(await encoded(folder, dtype, instructions), oldest)).toBeLessThan(most);
    },
  );

  // The levels are the same everywhere: only activations are bytes here and floats there.
  test.each(['AVX2', 'AVX2_VNNI', 'AVX512_CORE', 'DEFAULT'])(
    'in int4 with %s strays from int4 in the oldest set no further than int8 does',
    async (instructions) => {
      const old = await encoded(folder, 'int4', 'SSE41');
      expect(relativeDifference(await encoded(folder, 'int4', instructions), old)).toBeLessThan(4e-2);
    },
  );
});

test.each(['SSE41', 'AVX2', 'AVX2_VNNI', 'AVX512_CORE', 'AVX512_CORE_VNNI'])(
  'the bundled model is verified with %s',
  async (instructions) => {
    const { stdout } = await run(process.execPath, [command, 'verify', '--dtype', 'int8'], {
      env: environment(instructions),
    });
    expect(stdout).toMatch(/passed\s*$/);
  },
);
