/** What a process has transcribed before changes nothing, not the last bit of a confidence: workers with other pasts agree. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const audio = fileURLToPath(new URL('../audio/', import.meta.url));
const program = `
  import { loadModel } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
  const model = await loadModel(undefined, { dtype: 'float32' });
  const hear = async (name, windows) => JSON.stringify(await model.transcribe(${JSON.stringify(audio)} + name, { windows }));
  const short = { duration: 4, overlap: 1 };
  const [first] = process.argv.slice(1);
  if (first) await hear(first);
  const before = await hear('jfk.flac', short);
  await hear('librispeech-dev-clean_2412-153948-0000.flac');
  const after = await hear('jfk.flac', short);
  if (before !== after) throw new Error('a longer recording has changed what follows');
  console.log(before);
  await model.close();
`;

function run(...before: string[]): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program, ...before],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  expect(status, stderr).toBe(0);
  return stdout;
}

test('a longer recording before it', () => {
  const fresh = run();
  expect(fresh).toContain('confidence');
  expect(run('sense_and_sensibility_01_austen_64kb-0870.flac')).toBe(fresh);
});
