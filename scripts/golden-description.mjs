/**
 * The golden models as text files for the engine's test program (native/test), which reads neither JSON nor the headers of safetensors.
 * Needs dist/.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readConfig } from '../dist/model/config.js';
import { openFolder } from '../dist/model/formats/folder.js';
import { readTensorIndex } from '../dist/model/safetensors.js';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const ARCHITECTURES = ['tdt', 'tdt-ctc', 'rnnt', 'ctc'];
const CACHE_AWARE = 'transformers-cache-aware-rnnt';

/** Writes a description of each model into `folder`; gives the files. */
export async function describeGoldens(folder) {
  mkdirSync(folder, { recursive: true });
  const files = [];
  for (const architecture of [...ARCHITECTURES, CACHE_AWARE]) {
    const file = path.join(folder, `${architecture}.txt`);
    writeFileSync(file, await describe(architecture));
    files.push(file);
  }
  return files;
}

/** A golden model as native/test/golden_model.cpp reads it. */
async function describe(architecture) {
  const folder = path.join(root, 'test', 'goldens', architecture);
  const files = await openFolder(folder);
  const { native } = readConfig(files.config, files.configFile);
  const { preprocessor: p, encoder: e, predictor, joint } = native;
  const flag = (value) => (value ? 1 : 0);
  const lines = [
    `architecture ${native.architecture}`,
    `preprocessor ${p.sampleRate} ${p.windowLength} ${p.hop} ${p.fftLength} ${p.features} ${p.preemphasis} ${p.window} ${flag(p.normalize)}`,
    `encoder ${e.layers} ${e.dModel} ${e.heads} ${e.feedForward} ${e.subsamplingFactor} ${e.subsamplingChannels} ` +
      `${e.convKernel} ${flag(e.useBias)} ${flag(e.xscaling)} ${flag(e.causal)}`,
    `vocabulary ${native.vocabularySize} ${native.maxSymbols}`,
    `durations ${native.durations.length} ${native.durations.join(' ')}`,
  ];
  if (predictor)
    lines.push(
      `predictor ${predictor.hidden} ${predictor.layers}`,
      `joint ${joint.hidden} ${joint.activation}`,
    );
  const entry = (kind, { name, dtype, offset, bytes, shape, path: file }) =>
    `${kind} ${name} ${dtype} ${offset} ${bytes} ${shape.length} ${shape.join(' ')} ${file}`;
  for (const tensor of files.tensors) lines.push(entry('weight', tensor));
  for (const tensor of await readTensorIndex(path.join(folder, 'short.safetensors')))
    lines.push(entry('array', tensor));
  if (architecture === CACHE_AWARE) return `${lines.join('\n')}\n`;
  const tokenLists = JSON.parse(readFileSync(path.join(folder, 'short.json'), 'utf8'));
  const greedy = tokenLists.greedy ?? tokenLists.ctc_greedy;
  const frame = (p.hop * e.subsamplingFactor) / p.sampleRate;
  const tokens = greedy.flatMap(({ id, start, duration, confidence }) => [
    id,
    Math.round(start / frame),
    Math.round(duration / frame),
    confidence,
  ]);
  lines.push(`tokens greedy ${greedy.length} ${tokens.join(' ')}`);
  return `${lines.join('\n')}\n`;
}
