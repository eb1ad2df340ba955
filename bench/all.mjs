/**
 * Every bench whose figures stand in the README or the guides, one behind the other on this machine, into bench/results; then `npm run figures`
 * and `npm run plots`.
 *
 *     npm run bench:all -- --synthetic DIR --real DIR [--only wer,latency] [--machine TEXT] [--quick] [--plan]
 *
 * DIR: sound files and a transcripts.tsv. `--only`: some benches of bench/plan.mjs, which also says which files are none of theirs.
 * `--machine`: words for this machine, instead of what it says of itself. `--quick` runs everything briefly, on test/audio unless folders are
 * given, and writes nothing. `--plan` only prints what would be run, how long it takes, and what is missing. After a bench that fails, or whose peers
 * are missing, the next ones are run all the same, its old results stay, and the exit code is 1.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { lookFor } from './peers.mjs';
import { chosen, plan, resultsOf } from './plan.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);

/**
 * What will be run and how long that takes.
 *
 * @param {import('./plan.mjs').Bench[]} benches
 * @param {{ quick?: boolean }} options
 */
export function describePlan(benches, { quick = false } = {}) {
  const minutes = benches.reduce((sum, bench) => sum + bench.minutes, 0);
  const names = benches.map(({ name, minutes }) =>
    `  ${name.padEnd(16)}${quick ? '' : `${minutes} min`}`.trimEnd(),
  );
  const time = quick ? 'briefly, nothing is written' : `about ${minutes} minutes on an idle machine`;
  return [`${benches.length} of ${plan.length} benches, ${time}:`, ...names].join('\n');
}

/**
 * @typedef {import('./plan.mjs').Bench} Bench
 * @typedef {object} RunOptions
 * @property {{ synthetic: string, real: string }} recordings
 * @property {boolean} [quick]
 * @property {Record<string, string>} [missing] peers that are not installed: a bench that needs one fails
 * @property {string} [folder] where the programs are
 * @property {(line: string) => void} [say]
 * @property {(bench: Bench, results: any, commands: string[]) => void} [done] called with what a bench has measured
 */

/**
 * Runs benches. One that fails is no reason to stop.
 *
 * @param {Bench[]} benches
 * @param {RunOptions} options
 * @returns {Promise<{ name: string, reason: string }[]>} those that failed
 */
export async function runAll(
  benches,
  { recordings, quick = false, missing = {}, folder = here, say = () => {}, done = () => {} },
) {
  const failed = [];
  for (const bench of benches) {
    const began = performance.now();
    // Without its peers it would leave figures of the documents empty.
    const lacking = (bench.needs ?? []).filter((need) => need in missing);
    try {
      if (lacking.length > 0) throw new Error(`${lacking.join(', ')} missing`);
      const outputs = [];
      const commands = [];
      for (const run of bench.runs(recordings)) {
        const { args: usual = [] } = run;
        const args = quick ? (run.quick ?? [...usual, '--quick']) : usual;
        outputs.push({ run, output: await printed(path.join(folder, run.program), ['--json', ...args]) });
        commands.push(commandOf(run.program, args, recordings));
      }
      done(bench, resultsOf(bench, outputs), commands);
      say(`${bench.name}: ${((performance.now() - began) / 60_000).toFixed(1)} min`);
    } catch (error) {
      failed.push({ name: bench.name, reason: error.message });
      say(`${bench.name}: FAILED: ${error.message}`);
    }
  }
  return failed;
}

/** What a program prints as JSON; its complaints are shown, and the last of them is the reason when it fails. */
async function printed(file, args) {
  const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.pipe(process.stderr, { end: false });
  const [said, complaints, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code !== 0) {
    const [reason] = /^\w*Error.*$/m.exec(complaints) ?? [complaints.trim().split('\n').at(-1)];
    throw new Error(`${path.basename(file)} ended with ${signal ?? code}: ${reason}`);
  }
  try {
    return JSON.parse(said);
  } catch {
    throw new Error(`${path.basename(file)} printed no JSON but '${said.slice(0, 80)}'`);
  }
}

/** A run's command for the record: folders of recordings by their sets, since paths of a machine help nobody. */
function commandOf(program, args, { synthetic, real }) {
  const names = new Map([
    [synthetic, 'SYNTHETIC'],
    [real, 'REAL'],
  ]);
  return ['node', `bench/${program}`, '--json', ...args.map((arg) => names.get(arg) ?? arg)].join(' ');
}

/** A file of bench/results. @param {import('./plan.mjs').Bench} bench */
export function resultFile(bench, results, { machine, cores, commit, date, commands, peers = {} }) {
  return {
    machine,
    cores,
    date,
    commit,
    ...(bench.model && { model: bench.model }),
    command: `npm run bench:all -- --only ${bench.name} --synthetic SYNTHETIC --real REAL`,
    runs: commands,
    ...(Object.keys(peers).length > 0 && { peers }),
    ...bench.summary?.(results),
    results,
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      synthetic: { type: 'string' },
      real: { type: 'string' },
      only: { type: 'string' },
      machine: { type: 'string' },
      quick: { type: 'boolean' },
      plan: { type: 'boolean' },
    },
  });
  const benches = chosen(plan, values.only);
  console.log(describePlan(benches, values));
  const { there, missing } = lookFor([...new Set(benches.flatMap(({ needs = [] }) => needs))]);
  for (const [name, command] of Object.entries(missing)) console.log(`missing: ${name}, \`${command}\``);
  if (values.plan) return;

  const usual = values.quick ? path.join(root, 'test', 'audio') : undefined;
  const recordings = { synthetic: values.synthetic ?? usual, real: values.real ?? usual };
  for (const [set, folder] of Object.entries(recordings)) {
    if (folder === undefined)
      throw new Error(`Expected a folder of recordings for --${set} but received none; see bench/all.mjs`);
    recordings[set] = path.resolve(folder);
  }
  const { machine } = await import('./machine.mjs');
  const facts = {
    machine: values.machine ?? machine(),
    cores: availableParallelism(),
    commit: execute('git', ['rev-parse', '--short', 'HEAD']),
    date: new Date().toISOString().slice(0, 10),
  };
  console.log(facts.machine);

  const done = (bench, results, commands) => {
    const peers = Object.fromEntries(Object.entries(there).filter(([name]) => bench.needs?.includes(name)));
    const written = resultFile(bench, results, { ...facts, commands, peers });
    if (values.quick) return;
    const folder = path.join(here, 'results');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, `${bench.name}.json`), `${JSON.stringify(written, null, 2)}\n`);
  };
  const options = { recordings, quick: values.quick, say: console.log, done };
  const failed = await runAll(benches, { ...options, missing: values.quick ? {} : missing });
  for (const { name, reason } of failed) console.log(`failed: ${name}: ${reason}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
  if (values.quick) return;
  execute('npx', ['--no-install', 'biome', 'format', '--write', 'bench/results']);
  for (const program of ['scripts/figures.mjs', 'bench/plots.mjs']) execute(process.execPath, [program]);
}

function execute(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`);
  return stdout.trim();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
