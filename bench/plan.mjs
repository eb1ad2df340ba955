/**
 * Which bench leaves which file of bench/results, and how its parts are put together: what `npm run bench:all` runs, in this order. Not
 * the running (all.mjs), and no figure.
 */

/**
 * One run of a bench. What it prints with --json, or `pick` of that, goes to `place` in the results (keys joined by dots); without a
 * place it is all of them. `quick`: the arguments of a brief run, where they are not `args` and --quick.
 *
 * @typedef {{ program: string, args?: string[], quick?: string[], place?: string, pick?: string }} Run
 */

/**
 * @typedef {{
 *   name: string,
 *   minutes: number,
 *   model?: string,
 *   needs?: readonly string[],
 *   runs: (recordings: { synthetic: string, real: string }) => Run[],
 *   shape?: (results: any) => any,
 *   summary?: (results: any) => object,
 * }} Bench `name`: its file; `minutes`: on two cores with AVX-512 that do nothing else; `needs`: peers and programs (peers.mjs) without
 * which figures would be missing; `shape`: makes the results of what the runs left; `summary`: what else stands in the file
 */

const TINY = 'parakeet-tiny-en';
/** Points on the curve of latency beside the presets: measured.md has a row for each. */
const GRID = [
  ...['0.32/0.72', '0.16/0.32', '0.32/0.64', '0.08/0.64', '0.16/0.96'],
  ...['0.16/0.96/2/0.4/0.9', '0.08/0.8/2/0.32/0.95'],
].join(',');

/** A run for each set of recordings, which stand apart. */
const apart =
  (program, args = [], more = {}) =>
  ({ synthetic, real }) =>
    Object.entries({ synthetic, real }).map(([set, folder]) => ({
      program,
      args: [...args, '--recordings', folder],
      place: set,
      ...more,
    }));

/** One run for both. */
const together =
  (program, ...args) =>
  ({ synthetic, real }) => [{ program, args: [...args, '--recordings', real, '--recordings', synthetic] }];

const once =
  (program, ...args) =>
  () => [{ program, args }];

/** @type {Bench[]} */
export const plan = [
  { name: 'wer', minutes: 1, model: TINY, runs: apart('wer.mjs') },
  {
    name: 'decoding',
    minutes: 4,
    model: TINY,
    runs: (recordings) => [
      ...apart('decoding.mjs')(recordings),
      ...['balanced', 'accurate'].flatMap((latency) =>
        apart('decoding.mjs', ['--latency', latency])(recordings).map((run) => ({
          ...run,
          place: `${run.place}.${latency === 'balanced' ? 'live' : latency}`,
          pick: 'ways',
        })),
      ),
    ],
  },
  { name: 'boost', minutes: 1, model: TINY, runs: apart('boost.mjs') },
  { name: 'language-model', minutes: 3, model: TINY, runs: together('language-model.mjs') },
  { name: 'confidence', minutes: 2, model: TINY, runs: together('confidence.mjs') },
  { name: 'latency', minutes: 10, model: TINY, runs: apart('latency.mjs', ['--refine', '--grid', GRID]) },
  {
    name: 'draft',
    minutes: 2,
    model: TINY,
    runs: (recordings) => apart('latency.mjs', ['--draft-model', 'same'])(recordings).slice(0, 1),
  },
  { name: 'speech', minutes: 3, model: TINY, runs: apart('speech.mjs') },
  { name: 'voices', minutes: 5, model: TINY, runs: together('voices.mjs', '--presets') },
  { name: 'long', minutes: 2, model: TINY, runs: together('long.mjs') },
  { name: 'demo', minutes: 1, model: TINY, runs: once('demo.mjs') },
  { name: 'memory', minutes: 2, model: TINY, runs: once('memory.mjs') },
  {
    name: 'resample',
    minutes: 1,
    runs: () => [{ program: 'resample.mjs', quick: ['--seconds', '2'] }],
    shape: (rows) => Object.fromEntries(rows.map(({ rate, ...row }) => [rate, row])),
  },
  {
    name: 'streams',
    minutes: 12,
    model: `${TINY}, and random weights of the 110m and the 0.6b size, int8`,
    runs: () => [
      {
        program: 'streams.mjs',
        args: ['--cores', '1,2', '--models', 'tiny,110m,0.6b-v3'],
        quick: ['--models', 'tiny', '--quick'],
        place: 'balanced',
      },
    ],
    shape: (byLatency) =>
      Object.fromEntries(Object.entries(byLatency).map(([latency, rows]) => [latency, byCores(rows)])),
  },
  {
    name: 'server',
    minutes: 12,
    model: TINY,
    runs: () => [{ program: 'server.mjs', args: ['--quick', '--seconds', '600'], quick: ['--quick'] }],
  },
  { name: 'many', minutes: 4, model: TINY, needs: ['redis-server'], runs: once('many.mjs') },
  {
    name: 'steps',
    minutes: 3,
    model: 'random weights of the 0.6b size',
    runs: () =>
      ['int8', 'int4'].map((dtype) => ({
        program: 'steps.mjs',
        args: ['--latency', '0.56', '--dtype', dtype],
        place: dtype,
      })),
    summary: stepsSummary,
  },
  {
    name: 'encoder',
    minutes: 30,
    model: 'random weights of the 110m and the 0.6b size',
    needs: ['parakeetMlx', 'parakeetMlxOpenblas', 'onnxFloat32', 'onnxInt8', 'sherpaInt8'],
    runs: () => [
      {
        program: 'encoder.mjs',
        args: ['--what', 'encoder,endToEnd', '--seconds', '10', '--rounds', '5'],
        quick: ['--what', 'encoder,endToEnd', '--quick'],
        place: 'whole',
      },
      {
        program: 'encoder.mjs',
        args: ['--model', '110m', '--what', 'stream', '--push', '1', '--peers', 'parakeetMlxOpenblas'],
        quick: ['--what', 'stream', '--dtype', 'int8', '--push', '1', '--quick'],
        place: 'streamed',
      },
    ],
    shape: encoderRows,
  },
];

/** Files that no command writes again, and why. */
export const byHand = {
  avx2: 'measured on a machine with AVX2 and no AVX-512',
  gpu: 'needs one of NVIDIA’s GPUs: npm run -s bench:gpu',
  'gpu-wer': 'needs one of NVIDIA’s GPUs: npm run -s bench:gpu-wer',
  mixed: 'an archive between two workers of different types, started by hand (docs/many-machines.md)',
  prior: 'half of the real recordings, with a file of the bundled model and without it',
  published: 'published by NVIDIA',
  reference: 'the card of the bundled model: parakeet-mlx with NeMo’s features',
};

/**
 * The benches that are wanted, in the order of the plan.
 *
 * @param {Bench[]} benches
 * @param {string | undefined} only their names with commas; undefined for all
 * @returns {Bench[]}
 * @throws when a name is unknown
 */
export function chosen(benches, only) {
  if (only === undefined) return benches;
  const names = only.split(',').filter(Boolean);
  const known = benches.map(({ name }) => name);
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined || names.length === 0)
    throw new Error(`Expected some of ${known.join(', ')} for --only but received '${wrong ?? only}'`);
  return benches.filter(({ name }) => names.includes(name));
}

/**
 * The results of a bench from what its runs printed.
 *
 * @param {Pick<Bench, 'shape'>} bench
 * @param {{ run: Run, output: any }[]} outputs
 */
export function resultsOf({ shape = (results) => results }, outputs) {
  let results = {};
  for (const { run, output } of outputs) {
    const value = run.pick === undefined ? output : output[run.pick];
    if (run.place === undefined) results = value;
    else put(results, run.place.split('.'), value);
  }
  return shape(results);
}

function put(into, [key, ...rest], value) {
  if (rest.length === 0) into[key] = value;
  else {
    into[key] ??= {};
    put(into[key], rest, value);
  }
}

/** By model (without the dot, which separates keys) and number of cores. */
function byCores(rows) {
  const results = {};
  for (const row of rows) put(results, [withoutDot(row.model), row.cores], row);
  return results;
}

const withoutDot = (model) => model.replace(/^0\.6b.*/, '06b');

/** By model (without the dot, which separates keys), type and what was measured. */
function encoderRows({ whole, streamed }) {
  const results = {};
  for (const row of [...whole, ...streamed]) put(results, [withoutDot(row.model), row.dtype, row.what], row);
  return results;
}

/** The ratios of measured.md: of the time of all cores, in int4 to int8's; of a step alone to the larger of its bounds. What a stream keeps. */
function stepsSummary({ int8, int4 }) {
  const find = ({ rows }, kind, streams) =>
    rows.find((one) => one.kind === kind && one.streams > 1 === streams > 1);
  const [alone, many] = [find(int8, 'cache-aware', 1), find(int8, 'cache-aware', 2)];
  const buffered = find(int8, 'buffered', 2);
  const overInt8 = (kind, streams) => find(int4, kind, streams).cpu / find(int8, kind, streams).cpu;
  return {
    ratios: {
      together: many.cpu / int8.offline.cpu,
      buffered: buffered.cpu / many.cpu,
      alone: alone.cpu / int8.offline.cpu,
      bound: alone.msPerStep / Math.max(alone.bound.arithmetic, alone.bound.weights),
      int4: {
        alone: overInt8('cache-aware', 1),
        together: overInt8('cache-aware', 2),
        bufferedAlone: overInt8('buffered', 1),
        bufferedTogether: overInt8('buffered', 2),
      },
    },
    megabytesPerStream: {
      cacheAware: many.bytesPerStream / 1e6,
      buffered: buffered.bytesPerStream / 1e6,
    },
  };
}
