/**
 * Makes models/verify, what `parakeet verify` compares the bundled model with: recordings of test/audio, and what the plain
 * TypeScript reference (test/reference) computes of them, never the engine. Only for the repository; run it when the bundled
 * model changes: `npm run build:dist && node scripts/make-verify.mjs`.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadReference } from './reference.mjs';

/** Freely licensed, short, each with a different kind of voice; the arrays are made for the first one. */
const RECORDINGS = [
  'af_sky_10.flac',
  'am_michael_05.flac',
  'bf_emma_06.flac',
  'jfk.flac',
  'sense_and_sensibility_01_austen_64kb-0920.flac',
];

const root = fileURLToPath(new URL('..', import.meta.url));
const model = path.join(root, 'models', 'parakeet-tiny-en');
const target = path.join(root, 'models', 'verify');
mkdirSync(target, { recursive: true });

const { likeness, samplesOf } = await import('../dist/verify/suite.js');
const modules = await loadReference(['decode', 'encoder', 'mel', 'model']);
const reference = { ...modules, model: modules.readReferenceModel(model) };
const arrays = {};
const recordings = [];
for (const [file, seconds, said, source, licence] of transcripts()) {
  const { mel, encoded, tokens, heard } = hear(
    await samplesOf({ file: path.join(root, 'test', 'audio', file) }, reference.model.mel.sampleRate),
  );
  const name = path.parse(file).name;
  if (file === RECORDINGS[0]) {
    arrays.logMel = { shape: [mel.rows, mel.columns], data: mel.data };
    arrays.encoded = { shape: [encoded.rows, encoded.columns], data: encoded.data };
  }
  arrays[`${name}.tokens`] = row(tokens.map(({ id }) => id));
  arrays[`${name}.confidences`] = row(tokens.map(({ confidence }) => confidence));
  recordings.push({ file, seconds: Number(seconds), said, heard, source, licence });
  copyFileSync(path.join(root, 'test', 'audio', file), path.join(target, file));
  console.log(`${file}: ${heard}`);
}
const config = JSON.parse(readFileSync(path.join(model, 'config.json'), 'utf8'));
const goldens = {
  model: path.basename(model),
  likeness: likeness({
    vocabulary: config.joint.vocabulary,
    layers: config.encoder.n_layers,
    dModel: config.encoder.d_model,
  }),
  recordings,
};
writeFileSync(path.join(target, 'goldens.json'), `${JSON.stringify(goldens, null, 2)}\n`);
writeFileSync(path.join(target, 'goldens.safetensors'), safetensors(arrays));

/** The rows of the recordings that are taken, in our order. */
function transcripts() {
  const lines = readFileSync(path.join(root, 'test', 'audio', 'transcripts.tsv'), 'utf8')
    .trim()
    .split('\n');
  const rows = lines.map((line) => line.split('\t'));
  return RECORDINGS.map((file) => rows.find(([name]) => name === file));
}

function hear(samples) {
  const { model, logMel, statistics, normalize, encode, decodeAll } = reference;
  const mel = logMel(samples, model.mel);
  const encoded = encode(model, normalize(mel, statistics(mel, mel.rows, false)), [-1, -1]);
  const tokens = decodeAll(model, encoded, 'tdt');
  const heard = tokens
    .map(({ id }) => model.vocabulary[id])
    .join('')
    .replaceAll('▁', ' ')
    .trim();
  return { mel, encoded, tokens, heard };
}

function row(values) {
  return { shape: [values.length], data: Float32Array.from(values) };
}

function safetensors(tensors) {
  const header = {};
  const parts = [];
  let at = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const bytes = Buffer.from(Float32Array.from(data).buffer);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
    parts.push(bytes);
  }
  // Padded so that the numbers begin at a multiple of eight, as the format's own library does.
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}
