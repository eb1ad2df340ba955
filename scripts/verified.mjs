/** Records in docs/verified.json the last result of a gate that is too slow for the suite, and brings the README's table up to date. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bringUpToDate } from './figures.mjs';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const file = path.join(root, 'docs', 'verified.json');

/** @param {string} gate its name, `npm run test:<gate>` or `npm run <gate>` */
export function record(gate, result) {
  const all = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
  }).stdout.trim();
  all[gate] = {
    ...result,
    date: new Date().toISOString().slice(0, 10),
    commit,
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    system: `${os.type()} ${os.arch()}`,
  };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
  bringUpToDate();
}
