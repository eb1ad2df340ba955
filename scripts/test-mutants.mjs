/**
 * Do the tests notice a broken engine? Breaks it on purpose, one way at a time, runs the gates that must fail, and prints which
 * did. First runs them on the intact engine, where they must pass. Exits with 1 when a mutant goes unnoticed. The result of all is in
 * docs/verified.json.
 *
 *     npm run test:mutants [-- NAME…]
 *
 * Where the mutants are: native/model/mutant.h says how (grep for `mutant(`), test/mutants/vitest.config.ts has those of TypeScript.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { record } from './verified.mjs';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '..');
const vitest = path.join(
  path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
);
const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-mutants-'));

/** The gates: a file and a pattern of its tests' names; without a pattern, a program that prints JSON and a limit. */
const gates = {
  'any split': {
    file: 'test/streaming/exact.test.ts',
    name: 'native tdt stream split into pushes of (?!one sample)',
  },
  'equals offline, 1 to 40 frames': {
    file: 'test/streaming/exact.test.ts',
    name: 'native tdt stream as deep as the model .* for each length',
  },
  'equals offline, long': {
    file: 'test/streaming/exact.test.ts',
    name: 'native tdt stream as deep as the model .* for long audio',
  },
  'reference stepper': { file: 'test/streaming/stepper.test.ts', name: 'native tdt stream agrees' },
  'finals stay': { file: 'test/streaming/bundled.test.ts', name: 'what is final stays' },
  'last word': { file: 'test/streaming/bundled.test.ts', name: 'the last word is there' },
  'no words out of nothing': { file: 'test/streaming/bundled.test.ts', name: 'no words out of nothing' },
  'silence before speech': { file: 'test/streaming/bundled.test.ts', name: 'ten minutes of digital silence' },
  'a far voice': { file: 'test/streaming/voices.test.ts', name: '^a voice 20 dB below' },
  'streams together': { file: 'test/streaming/together.test.ts', name: 'native tdt streams of different' },
  'beam of the reference': { file: 'test/model/beam.test.ts', name: 'TDT beam search' },
  'exact fusion': { file: 'test/model/fusion.test.ts', name: '^tdt with 1 language model' },
  'a phrase is found': { file: 'test/model/boost.test.ts', name: 'in the engine greedy: a word is found' },
  'by what is around': { file: 'test/model/normalized-around.test.ts', name: '^each frame' },
  'an archive of NVIDIA': { file: 'test/model/formats/nemo.test.ts', name: 'tdt\\.nemo as it is' },
  'cache-aware goldens': {
    file: 'test/model/formats/transformers-cache-aware.test.ts',
    name: 'encoder frames with 1 frames to the right',
  },
  'cache-aware stream': {
    file: 'test/streaming/cache-aware.test.ts',
    name: 'equals the whole signal for random pushes',
  },
  'flat memory': { memory: 20 },
  backpressure: { file: 'test/transforms/stage.test.ts', name: '^backpressure' },
};

/** Each mutant and the gates that must notice it, every one of them. */
const mutants = {
  'carry-cleared': ['equals offline, long', 'reference stepper'],
  'agreement-skipped': ['reference stepper'],
  'lookahead-short': ['equals offline, long', 'reference stepper'],
  'chunk-padding': ['equals offline, long', 'reference stepper'],
  'cached-row-wrong': ['equals offline, long', 'reference stepper'],
  'flush-removed': ['equals offline, 1 to 40 frames', 'reference stepper', 'last word'],
  'push-edge': ['any split'],
  'final-again': ['finals stay'],
  'blank-forgotten': ['no words out of nothing'],
  'silence-counted': ['silence before speech'],
  'never-forgotten': ['a far voice'],
  'cache-kept': ['flat memory'],
  'batch-mixed': ['streams together'],
  'beam-unmerged': ['beam of the reference'],
  'boost-stuck': ['a phrase is found'],
  'lm-stuck': ['exact fusion'],
  'normalized-by-first': ['by what is around'],
  'bias-halved': ['an archive of NVIDIA'],
  'subsampling-ahead': ['cache-aware goldens', 'cache-aware stream'],
  'attention-ahead': ['cache-aware goldens', 'cache-aware stream'],
  'convolution-ahead': ['cache-aware goldens', 'cache-aware stream'],
  'backpressure-ignored': ['backpressure'],
};

const environment = (mutant) => ({
  ...process.env,
  PARAKEET_ADDON: path.join(root, 'build-mutants', 'Release', 'parakeet.node'),
  PARAKEET_MUTANT: mutant,
});

/** How long the tests of one mutant may take: on a busy machine those of the intact engine take minutes. */
const LIMIT_MS = 30 * 60_000;

/**
 * Runs gates; gives each one's outcome: 'passed', 'failed', 'too late' where only the time was up, which shows nothing about what the test
 * checks, or 'missing' when no such test ran.
 */
function run(names, mutant) {
  const outcome = {};
  const tests = names.filter((name) => gates[name].file);
  if (tests.length > 0) {
    const report = path.join(folder, 'report.json');
    rmSync(report, { force: true });
    const files = [...new Set(tests.map((name) => gates[name].file))];
    const pattern = tests.map((name) => `(${gates[name].name})`).join('|');
    const options = [
      '--config',
      'test/mutants/vitest.config.ts',
      '--reporter=json',
      `--outputFile=${report}`,
    ];
    spawnSync(process.execPath, [vitest, 'run', ...options, ...files, '-t', pattern], {
      cwd: root,
      env: environment(mutant),
      timeout: LIMIT_MS,
      stdio: 'ignore',
    });
    // There is none when the process died or was ended.
    const results = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')).testResults : [];
    for (const name of tests) {
      const ran = results
        .filter((file) => file.name.endsWith(gates[name].file))
        .flatMap((file) => file.assertionResults)
        .filter((test) => test.status !== 'skipped' && new RegExp(gates[name].name).test(test.fullName));
      outcome[name] = outcomeOf(ran);
    }
  }
  for (const name of names.filter((name) => gates[name].memory)) {
    const { stdout } = spawnSync(process.execPath, ['bench/memory.mjs', '--quick', '--json'], {
      cwd: root,
      env: environment(mutant),
      encoding: 'utf8',
    });
    const growth = /"growthMiB":(-?\d+)/.exec(stdout)?.[1];
    outcome[name] =
      growth === undefined ? 'missing' : Number(growth) < gates[name].memory ? 'passed' : 'failed';
  }
  return outcome;
}

function outcomeOf(tests) {
  if (tests.length === 0) return 'missing';
  const failed = tests.filter((test) => test.status !== 'passed');
  if (failed.length === 0) return 'passed';
  const late = (test) => test.failureMessages.some((message) => /(Test|Hook) timed out in/.test(message));
  return failed.every(late) ? 'too late' : 'failed';
}

function build() {
  for (const script of [['install.mjs', '--mutants'], ['build-dist.mjs']]) {
    const [file, ...options] = script;
    const { status } = spawnSync(process.execPath, [path.join(root, 'scripts', file), ...options], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`scripts/${file} failed`);
  }
}

const line = (mutant, gate, verdict) => console.log(`${mutant.padEnd(22)} ${gate.padEnd(32)} ${verdict}`);

try {
  const chosen = process.argv.slice(2);
  for (const name of chosen)
    if (!mutants[name]) throw new Error(`Expected a mutant (${Object.keys(mutants)})`);
  build();
  const missed = [];
  const wanted = Object.entries(mutants).filter(([name]) => chosen.length === 0 || chosen.includes(name));
  line('mutant', 'gate', 'noticed');
  for (const [gate, outcome] of Object.entries(run([...new Set(wanted.flatMap(([, names]) => names))], ''))) {
    const good = outcome === 'passed';
    if (!good) missed.push(`intact: ${gate}`);
    line('(none)', gate, good ? 'passes, as it must' : `NO: the test is ${outcome} without any mutant`);
  }
  for (const [mutant, names] of wanted) {
    for (const [gate, outcome] of Object.entries(run(names, mutant))) {
      const good = outcome === 'failed';
      if (!good) missed.push(`${mutant}: ${gate}`);
      const what = outcome === 'missing' ? 'did not run' : outcome === 'passed' ? outcome : `was ${outcome}`;
      line(mutant, gate, good ? 'yes' : `NO: the test ${what}`);
    }
  }
  if (missed.length > 0) process.exitCode = 1;
  if (chosen.length === 0) {
    record('mutants', {
      passed: missed.length === 0,
      mutants: wanted.length,
      ...(missed.length > 0 ? { missed } : {}),
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
