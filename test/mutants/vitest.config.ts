/**
 * The suite's configuration for code that is broken on purpose (scripts/test-mutants.mjs): no types, no dist/, one process.
 * Mutants of the engine are the test build's affair (native/model/mutant.h); those of TypeScript are made here, on the way from
 * the file to the test, so that the source knows nothing of them.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

export const edits: Record<string, { file: string; from: string; to: string }> = {
  'backpressure-ignored': {
    file: 'src/transforms/stage.ts',
    from: 'if (this.push(object)) {',
    to: 'if (this.push(object) || true) {',
  },
};

function breaks({ file, from, to }: { file: string; from: string; to: string }): Plugin {
  return {
    name: 'parakeet-mutant',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith(file)) return undefined;
      if (!code.includes(from)) throw new Error(`Expected \`${from}\` in ${file}: mend the mutant with it`);
      return { code: code.replace(from, to), map: null };
    },
  };
}

const edit = edits[process.env.PARAKEET_MUTANT ?? ''];

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  plugins: edit ? [breaks(edit)] : [],
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // A test that only runs out of time has noticed nothing, and on a busy machine all of them are slow.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    setupFiles: ['test/mutants/setup.ts'],
  },
});
