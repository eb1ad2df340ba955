/**
 * The vocabulary of a model by its name, and how words are split into it, without loading the model's weights.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { namedModel } from '../bundled-model.js';
import type { HubOptions } from '../hub/hub.js';
import { readConfig } from '../model/config.js';
import { readSentencePieceModel } from '../model/formats/sentencepiece.js';
import { openModel } from '../model/open-model.js';
import { Tokenizer } from './tokenizer.js';

/** A model's pieces, and its tokenizer. */
export interface ModelVocabulary {
  pieces: readonly string[];
  tokenizer: Tokenizer;
}

/** @throws as `loadModel` for a model that cannot be found or read. */
export async function modelVocabulary(
  name: string | undefined,
  options: HubOptions,
): Promise<ModelVocabulary> {
  const files = await openModel(namedModel(name), options);
  try {
    const pieces = readConfig(files.config, files.configFile).vocabulary;
    const scores = await unigramScores(path.dirname(files.configFile), pieces);
    return { pieces, tokenizer: new Tokenizer(pieces, scores) };
  } finally {
    await files.dispose();
  }
}

/** The scores of a unigram tokenizer beside the model; `undefined` for byte-pair encoding, which NVIDIA's models use. */
async function unigramScores(folder: string, pieces: readonly string[]): Promise<number[] | undefined> {
  const file = path.join(folder, 'tokenizer.model');
  const content = await readFile(file).catch(() => undefined);
  if (content === undefined) return undefined;
  const model = readSentencePieceModel(content, file);
  if (model.kind !== 'unigram') return undefined;
  const scores = new Map(model.pieces.map(({ text, score }) => [text, score]));
  return pieces.map((piece) => scores.get(piece) ?? -100);
}
