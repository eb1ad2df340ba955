/**
 * What the demo prints last, as figures: the real-time factor of a live stream, drafts included, and how long the sound of a step waits for its
 * tokens.
 *
 *     npm run -s bench:demo -- [--json] [--quick]
 *
 * `--quick` is the same. `--json`: `{ realTimeFactor, latencyMs: { p50, p95 } }`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' } } });
const demo = fileURLToPath(new URL('../examples/demo.mjs', import.meta.url));
// It writes its subtitles where it is started.
const folder = mkdtempSync(path.join(os.tmpdir(), 'parakeet-demo-'));
const { stdout } = spawnSync(process.execPath, [demo], { cwd: folder, encoding: 'utf8' });
rmSync(folder, { recursive: true, force: true });
const said = /real-time factor ([\d.]+) .*latency (\d+) ms \(median\), (\d+) ms/.exec(stdout);
if (!said) throw new Error(`Expected the demo's figures but received:\n${stdout}`);
const [realTimeFactor, p50, p95] = said.slice(1).map(Number);
if (values.json) console.log(JSON.stringify({ realTimeFactor, latencyMs: { p50, p95 } }));
else console.log(`real-time factor ${realTimeFactor}; ${p50} ms median, ${p95} ms 95th percentile`);
