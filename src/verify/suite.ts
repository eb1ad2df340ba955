/**
 * The verification data of the package (models/verify, made by scripts/make-verify.mjs): recordings with their transcripts, and what a
 * reference that shares no code with the engine computes from them for the bundled model. Only the reading.
 */
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { verifyData } from '../bundled-model.js';
import type { NativeModelInfo } from '../engine/addon.js';
import { readAt } from '../model/read-at.js';
import { readTensorIndex } from '../model/safetensors.js';
import { floatsOf } from '../model/stored-types.js';
import { readSamples } from '../recordings/read-samples.js';

/** A recording of the suite. */
export interface SuiteRecording {
  /** Its file's name. */
  name: string;
  /** The whole path. */
  file: string;
  seconds: number;
  /** What is said in it. */
  said: string;
}

/** The reference's results, in float32, for whole recordings without silence after them. */
export interface Goldens {
  /** Log-mel frames and encoder frames of the first recording. */
  logMel: Float32Array;
  encoded: Float32Array;
  /** For each recording, in order. */
  tokens: { ids: number[]; confidences: Float32Array }[];
}

export interface Suite {
  recordings: SuiteRecording[];
  /** The name of the model that the goldens belong to. */
  model: string;
  /** Its {@link likeness}. */
  likeness: string;
  goldens: Goldens;
}

interface SuiteFile {
  model: string;
  likeness: string;
  recordings: { file: string; seconds: number; said: string }[];
}

/** Reads the suite. It is part of the package, so for a missing file the system's own error is thrown. */
export async function readSuite(): Promise<Suite> {
  const folder = verifyData();
  const file = JSON.parse(await readFile(path.join(folder, 'goldens.json'), 'utf8')) as SuiteFile;
  const arrays = await readArrays(path.join(folder, 'goldens.safetensors'));
  const array = (name: string) => arrays.get(name) ?? new Float32Array(0);
  return {
    model: file.model,
    likeness: file.likeness,
    recordings: file.recordings.map(({ file: name, seconds, said }) => ({
      name,
      file: path.join(folder, name),
      seconds,
      said,
    })),
    goldens: {
      logMel: array('logMel'),
      encoded: array('encoded'),
      tokens: file.recordings.map(({ file: name }) => ({
        ids: [...array(`${path.parse(name).name}.tokens`)],
        confidences: array(`${path.parse(name).name}.confidences`),
      })),
    },
  };
}

async function readArrays(file: string): Promise<Map<string, Float32Array>> {
  const index = await readTensorIndex(file);
  const handle = await open(file, 'r');
  try {
    const arrays = new Map<string, Float32Array>();
    for (const { name, offset, bytes } of index) {
      arrays.set(name, floatsOf(await readAt(handle, offset, bytes), 'F32'));
    }
    return arrays;
  } finally {
    await handle.close();
  }
}

/**
 * Tells whether a model is meant to be the one of the goldens: by its vocabulary, layers and width, not by its weights, so that a copy with
 * damaged weights is compared with them too.
 */
export function likeness({
  vocabulary,
  layers,
  dModel,
}: Pick<NativeModelInfo, 'vocabulary' | 'layers' | 'dModel'>): string {
  return createHash('sha256')
    .update(JSON.stringify([vocabulary, layers, dModel]))
    .digest('hex');
}

/** The samples of a recording at a model's rate. */
export async function samplesOf({ file }: Pick<SuiteRecording, 'file'>, rate: number): Promise<Float32Array> {
  return readSamples(file, rate);
}
