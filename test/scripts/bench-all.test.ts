/** `npm run bench:all`: which benches it runs, how their parts are put together, and that a bench that fails is no reason to stop. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resultFile, runAll } from '../../bench/all.mjs';
import { lookFor } from '../../bench/peers.mjs';
import { byHand, chosen, plan, resultsOf } from '../../bench/plan.mjs';
import { readDocument, root } from '../support/documents.js';

const recordings = { synthetic: '/somewhere/synthetic', real: '/somewhere/real' };
const benchFolder = path.join(root, 'bench');

describe('the plan', () => {
  test('has every file of bench/results that is not made by hand, and programs that are there', () => {
    const planned = plan.map(({ name }) => name);
    for (const file of readdirSync(path.join(benchFolder, 'results')))
      expect([...planned, ...Object.keys(byHand)]).toContain(path.basename(file, '.json'));
    expect(planned.filter((name) => name in byHand)).toEqual([]);
    const programs = plan.flatMap(({ runs }) => runs(recordings).map(({ program }) => program));
    expect(programs.filter((program) => !existsSync(path.join(benchFolder, program)))).toEqual([]);
  });

  test('is run in part, in its own order', () => {
    expect(chosen(plan, 'latency,wer').map(({ name }) => name)).toEqual(['wer', 'latency']);
    expect(chosen(plan, undefined)).toBe(plan);
    for (const wrong of ['wer,none', ''])
      expect(() => chosen(plan, wrong)).toThrow(/^Expected some of wer, .* for --only but received/);
  });
});

describe('what the runs of a bench print', () => {
  test('goes to its place', () => {
    const [decoding] = chosen(plan, 'decoding');
    const outputs = (decoding?.runs(recordings) ?? []).map((run) => ({
      run,
      output: { ways: [run.args?.join(' ')], audioSeconds: 1 },
    }));
    expect(decoding && resultsOf(decoding, outputs)).toEqual({
      synthetic: {
        audioSeconds: 1,
        ways: ['--recordings /somewhere/synthetic'],
        live: ['--latency balanced --recordings /somewhere/synthetic'],
        accurate: ['--latency accurate --recordings /somewhere/synthetic'],
      },
      real: {
        audioSeconds: 1,
        ways: ['--recordings /somewhere/real'],
        live: ['--latency balanced --recordings /somewhere/real'],
        accurate: ['--latency accurate --recordings /somewhere/real'],
      },
    });
  });

  test('is found by names, not by its order', () => {
    const [encoder] = chosen(plan, 'encoder');
    const row = (model: string, dtype: string, what: string, x: number) => ({ model, dtype, what, x });
    const printed = [
      [row('110m', 'int8', 'encoder', 1), row('0.6b-v3', 'float32', 'endToEnd', 2)],
      [row('110m', 'int8', 'stream', 3)],
    ];
    const outputs = (encoder?.runs(recordings) ?? []).map((run, i) => ({ run, output: printed[i] }));
    expect(encoder && resultsOf(encoder, outputs)).toMatchObject({
      '110m': { int8: { encoder: { x: 1 }, stream: { x: 3 } } },
      '06b': { float32: { endToEnd: { x: 2 } } },
    });
  });

  test('is summed up as the last results of a step were', () => {
    const { results, ratios, megabytesPerStream } = JSON.parse(readDocument('bench/results/steps.json'));
    const [steps] = chosen(plan, 'steps');
    expect(steps?.summary?.(results)).toEqual({ ratios, megabytesPerStream });
  });

  test('is left with the machine, the date, the commit and the command', () => {
    const facts = { machine: 'M', cores: 2, date: '2026-01-02', commit: 'abc1234' };
    const bench = { name: 'one', minutes: 1, runs: () => [] };
    expect(resultFile(bench, { wer: 1 }, { ...facts, commands: ['node bench/one.mjs --json'] })).toEqual({
      ...facts,
      command: 'npm run bench:all -- --only one --synthetic SYNTHETIC --real REAL',
      runs: ['node bench/one.mjs --json'],
      results: { wer: 1 },
    });
  });
});

describe('a run of all', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'parakeet-bench-all-'));
    const write = (name: string, code: string) => writeFileSync(path.join(folder, name), code);
    write('good.mjs', 'console.log(JSON.stringify({ args: process.argv.slice(2) }));\n');
    write('bad.mjs', "throw new RangeError('Expected more');\n");
    write('silent.mjs', "console.log('no JSON');\n");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const bench = (name: string, program: string) => ({
    name,
    minutes: 1,
    runs: ({ real }: typeof recordings) => [{ program, args: ['--recordings', real] }],
  });
  const benches = [
    bench('first', 'good.mjs'),
    bench('second', 'bad.mjs'),
    bench('third', 'silent.mjs'),
    bench('fourth', 'good.mjs'),
  ];

  test('goes on after a bench that fails, and says which did, and why', async () => {
    const measured: unknown[] = [];
    const failed = await runAll(benches, {
      recordings,
      folder,
      done: ({ name }, results, commands) => measured.push([name, results, commands]),
    });
    const args = ['--json', '--recordings', '/somewhere/real'];
    const commands = ['node bench/good.mjs --json --recordings REAL'];
    expect(measured).toEqual([
      ['first', { args }, commands],
      ['fourth', { args }, commands],
    ]);
    expect(failed).toEqual([
      { name: 'second', reason: 'bad.mjs ended with 1: RangeError: Expected more' },
      { name: 'third', reason: "silent.mjs printed no JSON but 'no JSON\n'" },
    ]);
  });

  test('leaves out a bench whose peers are missing, since its figures would be', async () => {
    const measured: string[] = [];
    const failed = await runAll([{ ...bench('first', 'good.mjs'), needs: ['here', 'gone'] }], {
      recordings,
      folder,
      missing: { gone: 'pip install gone' },
      done: ({ name }) => measured.push(name),
    });
    expect({ failed, measured }).toEqual({
      failed: [{ name: 'first', reason: 'gone missing' }],
      measured: [],
    });
  });

  test('is brief with quick', async () => {
    const measured: unknown[] = [];
    const own = {
      name: 'own',
      minutes: 1,
      runs: () => [{ program: 'good.mjs', args: ['--a'], quick: ['--b'] }],
    };
    await runAll([bench('first', 'good.mjs'), own], {
      recordings,
      folder,
      quick: true,
      done: (_, results) => measured.push(results),
    });
    expect(measured).toEqual([
      { args: ['--json', '--recordings', '/somewhere/real', '--quick'] },
      { args: ['--json', '--b'] },
    ]);
  });
});

test('what is not installed is named with the command that installs it', () => {
  const known = {
    here: { find: () => 'here 1.0', install: 'install here' },
    gone: { find: () => undefined, install: 'pip install gone' },
  };
  expect(lookFor(['here', 'gone'], known)).toEqual({
    there: { here: 'here 1.0' },
    missing: { gone: 'pip install gone' },
  });
});

describe('the command', () => {
  const all = (...args: string[]) =>
    spawnSync(process.execPath, ['bench/all.mjs', ...args], { cwd: root, encoding: 'utf8' });

  test('prints the plan and how long it takes', () => {
    const { status, stdout } = all('--plan', '--only', 'memory,wer');
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^2 of \d+ benches, about \d+ minutes on an idle machine:\n {2}wer .*\n {2}memory /,
    );
  });

  test('wants folders of recordings, and benches that there are', () => {
    expect(all('--only', 'wer').stderr).toContain('Expected a folder of recordings for --synthetic');
    expect(all('--only', 'none').stderr).toContain("for --only but received 'none'");
  });
});
