/**
 * Holds a streaming recogniser against the promises and prints a table:
 *
 *     npm run -s conformance -- --adapter ours [--adapter sherpa-onnx-node] [--promise silence] [--json]
 *
 * An adapter is the name of a file in adapters/, or a path. Not kept is no failure of the run: it exits with 1 when an adapter cannot be
 * made, or when `ours` breaks a promise.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Unmeasured } from './adapter.mjs';
import { promises } from './promises.mjs';

const { values } = parseArgs({
  options: {
    adapter: { type: 'string', multiple: true, default: ['ours'] },
    promise: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  },
});
const chosen = promises.filter(({ id }) => values.promise?.includes(id) ?? true);
const columns = [];
for (const name of values.adapter) {
  const url = /[./\\]/.test(name)
    ? pathToFileURL(path.resolve(name))
    : new URL(`adapters/${name}.mjs`, import.meta.url);
  const { default: adapterOf } = await import(url.href);
  const adapter = await adapterOf();
  const results = {};
  for (const { id, check } of chosen) results[id] = await resultOf(check, adapter);
  columns.push({ adapter: adapter.name, results });
  await adapter.close();
  if (name === 'ours' && Object.values(results).some(({ kept }) => kept !== true)) process.exitCode = 1;
}
if (values.json) console.log(JSON.stringify(columns, null, 2));
else print();

async function resultOf(check, adapter) {
  try {
    await check(adapter);
    return { kept: true };
  } catch (error) {
    if (error instanceof Unmeasured) return { kept: null, why: error.message };
    return { kept: false, why: String(error.message).split('\n').slice(0, 12).join('\n') };
  }
}

function print() {
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
