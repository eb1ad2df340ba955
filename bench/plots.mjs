/**
 * The plots of docs/measured.md, docs/pictures/*.svg, from what the benches have left in bench/results. No figure is written here.
 *
 *     npm run plots [-- --check]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bars, curves } from './plot.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What a bench printed with --json. */
function measured(name) {
  return JSON.parse(readFileSync(path.join(root, 'bench', 'results', `${name}.json`), 'utf8'));
}

/** How soon a word is final against how often it is wrong, on the presets and on what lies beside them. */
function latency() {
  const { results } = measured('latency');
  const panel = (set) => {
    const { presets } = results[set];
    const preset = ({ name }) => !name.includes('/');
    return {
      title: `${set} recordings`,
      x: 'seconds from a word to its final text (median)',
      y: 'word error rate, %',
      lines: [{ name: 'whole recordings', y: presets[0].offlineWer }],
      series: [
        {
          name: 'live',
          points: presets.map((one) => ({
            x: one.final.p50,
            y: one.wer,
            ...(preset(one) && { name: one.name }),
          })),
        },
        {
          name: 'refined',
          points: presets.map((one) => ({ x: one.final.p50, y: one.refined })),
        },
      ],
    };
  };
  return curves('Latency against accuracy', [panel('synthetic'), panel('real')]);
}

/** What an hour of audio costs, ours and others, in one run. */
function cost() {
  const { results, cores } = measured('encoder');
  const seconds = (speed) => (cores * 3600) / speed;
  const types = Object.entries(results['110m']).filter(([, { endToEnd }]) => endToEnd);
  const { float32 } = results['110m'];
  const names = { sherpaInt8: 'sherpa-onnx, int8', parakeetMlx: 'parakeet-mlx, bfloat16' };
  const ours = types.map(([dtype, { endToEnd }]) => ({
    name: `parakeet-stream, ${dtype}`,
    value: seconds(endToEnd.x),
    ours: true,
  }));
  // A peer that was not installed has no ratio.
  const peers = Object.entries(names)
    .filter(([peer]) => float32.endToEnd.ratio[peer])
    .map(([peer, name]) => ({ name, value: seconds(float32.endToEnd.x / float32.endToEnd.ratio[peer]) }));
  return bars('Core-seconds for an hour of audio, 110m size', 's', [...ours, ...peers]);
}

/** How many live streams so many cores hold, against the bound. */
function streams() {
  const { balanced } = measured('streams').results;
  const panel = ([model, byCores]) => {
    const rows = Object.values(byCores);
    const points = (key) => rows.map((row) => ({ x: row.cores, y: row[key] }));
    return {
      title: `${model}, ${rows[0].dtype}`,
      x: 'cores',
      y: 'live streams',
      series: [
        { name: 'held', points: points('streams') },
        { name: 'bound of the products', points: points('bound') },
      ],
    };
  };
  return curves('Live streams against cores', Object.entries(balanced).map(panel));
}

/** The plots, by their name in docs/pictures. */
export const plots = { latency, cost, streams };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, plot] of Object.entries(plots)) {
    const file = path.join(root, 'docs', 'pictures', `${name}.svg`);
    const now = plot();
    if (!process.argv.includes('--check')) writeFileSync(file, now);
    else if (readFileSync(file, 'utf8') !== now) {
      process.stderr.write(`docs/pictures/${name}.svg is not what bench/results has: npm run plots\n`);
      process.exitCode = 1;
    }
  }
}
