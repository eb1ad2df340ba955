/**
 * Measured figures in the README and the guides. Each is followed by a comment that names its source,
 *
 *     5.54 %<!-- wer-synthetic offline.wer -->
 *
 * a file of bench/results (what a bench printed with --json) and a path in it. `npm run -s figures` writes the figures as the files have
 * them now; `-- --check` only says which differ. A figure keeps its number of decimals; a share (0.24) becomes a percentage with `*100`.
 * What stands in a table before
 *
 *     <!-- last run of soak -->
 *
 * is the last result of that gate, from docs/verified.json, and what stands between
 *
 *     <!-- machine of memory --> and <!-- /machine -->
 *
 * what those results were measured on.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const MARKED = /(-?\d[\d,]*(?:\.\d+)?)( ?[^\d<|]{0,6})<!-- (\S+) (\S+?)(\*100)? -->/g;

const MACHINE = /<!-- machine of (\S+) -->[^<]*<!-- \/machine -->/g;
const VERIFIED = /\| [^|\n]*<!-- last run of (\S+) -->/g;

/** Documents that may have figures. */
export const documents = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const read = new Map();
/** A file of bench/results. */
function resultsOf(name) {
  if (!read.has(name)) {
    const file = path.join(root, 'bench', 'results', `${name}.json`);
    read.set(name, JSON.parse(readFileSync(file, 'utf8')));
  }
  return read.get(name);
}

/** The number at `place` (keys and indices joined by dots) in bench/results/`name`.json. */
function measured(name, place) {
  const value = place.split('.').reduce((at, key) => at?.[key], resultsOf(name));
  if (typeof value !== 'number')
    throw new Error(`Expected a number at ${place} in bench/results/${name}.json but found ${value}`);
  return value;
}

/** The last result of a gate that is too slow for the suite. */
function verified(gate) {
  const result = JSON.parse(readFileSync(path.join(root, 'docs', 'verified.json'), 'utf8'))[gate];
  if (!result) return 'not run yet';
  const { passed, date, cpu, cores } = result;
  return `${passed ? 'passed' : '**failed**'} on ${date}, ${cpu.replaceAll('(R)', '')}, ${cores} cores`;
}

/** `text` with every marked figure as it was measured. */
export function filled(text) {
  const gates = text.replace(VERIFIED, (_, gate) => `| ${verified(gate)}<!-- last run of ${gate} -->`);
  const machines = gates.replace(
    MACHINE,
    (_, name) => `<!-- machine of ${name} -->${resultsOf(name).machine}<!-- /machine -->`,
  );
  return machines.replace(MARKED, (_, shown, unit, name, place, percent) => {
    const decimals = shown.split('.')[1]?.length ?? 0;
    const value = measured(name, place) * (percent ? 100 : 1);
    return `${value.toFixed(decimals)}${unit}<!-- ${name} ${place}${percent ?? ''} -->`;
  });
}

/** How many figures of `text` are marked. */
export function markedIn(text) {
  return [...text.matchAll(MARKED)].length;
}

/** Word error rates, which have two decimals and a percent sign, without a mark. */
export function unmarkedIn(text) {
  return [...text.matchAll(/\d+\.\d\d %(?! ?<!--)/g)].map(([figure]) => figure);
}

/** Documents whose figures are not those of the results. */
export function outdated() {
  return documents.filter((document) => {
    const text = readFileSync(path.join(root, document), 'utf8');
    return filled(text) !== text;
  });
}

/** Writes the figures as the results have them, and the tables as wide as that makes them. @returns {string[]} the documents that changed */
export function bringUpToDate() {
  const changed = outdated();
  for (const document of changed) {
    const file = path.join(root, document);
    writeFileSync(file, filled(readFileSync(file, 'utf8')));
  }
  if (changed.length > 0)
    execFileSync('npx', ['--no-install', 'biome', 'format', '--write', ...changed], { cwd: root });
  return changed;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
  const changed = values.check ? outdated() : bringUpToDate();
  for (const document of changed)
    process.stdout.write(`${document} ${values.check ? 'differs' : 'brought up to date'}\n`);
  if (values.check && changed.length > 0) process.exitCode = 1;
}
