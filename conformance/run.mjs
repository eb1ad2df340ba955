/**
 * Holds streaming recognisers against the promises and prints a table:
 *
 *     npm run -s conformance -- --adapter ours [--adapter sherpa-onnx-node] [--promise silence] [--json]
 *
 * An adapter is the name of a file in adapters/, or a path. Each promise has a process of its own, so that a crash breaks no other. Exits with
 * 1 when `ours` breaks a promise, or when an adapter cannot be made.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Unmeasured } from './adapter.mjs';
import { promises } from './promises.mjs';

/** Longer than this is a hang. */
const MOST_SECONDS = 300;

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', multiple: true, default: ['ours'] },
    promise: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    // Used by this program itself: runs one promise here.
    here: { type: 'boolean', default: false },
  },
});
const chosen = promises.filter(({ id }) => values.promise?.includes(id) ?? true);

if (values.here) {
  const adapter = await adapterOf(values.adapter[0]);
  const result = await resultOf(chosen[0].check, adapter);
  process.stdout.write(JSON.stringify({ ...result, name: adapter.name }));
  await adapter.close();
} else {
  const columns = values.adapter.map(column);
  if (values.json) console.log(JSON.stringify(columns, null, 2));
  else print(columns);
}

async function adapterOf(name) {
  const isPath = /[./\\]/.test(name);
  const url = isPath ? pathToFileURL(path.resolve(name)) : new URL(`adapters/${name}.mjs`, import.meta.url);
  const { default: make } = await import(url.href);
  return make();
}

async function resultOf(check, adapter) {
  try {
    await check(adapter);
    return { kept: true };
  } catch (error) {
    if (error instanceof Unmeasured) return { kept: null, why: error.message };
    return { kept: false, why: String(error.message).split('\n').slice(0, 12).join('\n') };
  }
}

/** What one recogniser keeps. */
function column(adapter) {
  const results = {};
  let title = adapter;
  for (const { id } of chosen) {
    const args = [fileURLToPath(import.meta.url), '--here', '--adapter', adapter, '--promise', id];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 1000 * MOST_SECONDS });
    try {
      const { name, ...result } = JSON.parse(run.stdout);
      results[id] = result;
      title = name;
    } catch {
      results[id] = { kept: false, why: `the process ended with ${run.signal ?? run.status}\n${run.stderr}` };
    }
  }
  // Without a name no process has come as far as its adapter.
  const broken = Object.values(results).some(({ kept }) => kept === false);
  if (title === adapter || (adapter === 'ours' && broken)) process.exitCode = 1;
  return { adapter: title, results };
}

function print(columns) {
  const words = { true: 'kept', false: 'not kept', null: '–' };
  console.log(`| promise | ${columns.map(({ adapter }) => adapter).join(' | ')} |`);
  console.log(`| --- | ${columns.map(() => '---').join(' | ')} |`);
  for (const { id, promise } of chosen) {
    console.log(`| ${promise} | ${columns.map(({ results }) => words[results[id].kept]).join(' | ')} |`);
  }
  for (const { adapter, results } of columns) {
    for (const [id, { kept, why }] of Object.entries(results)) {
      if (kept !== true) console.log(`\n${adapter}, ${id}: ${why}`);
    }
  }
}
