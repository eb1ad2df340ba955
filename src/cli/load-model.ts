/**
 * Loading a model in a command: a bar shows how far it is fetched, if it has to be.
 */
import { type LoadModelOptions, loadModel } from '../load-model.js';
import type { Model } from '../model.js';
import { ProgressBar } from './progress.js';
import type { Terminal } from './terminal.js';

export async function loadShown(
  name: string | undefined,
  options: LoadModelOptions,
  { stderr }: Pick<Terminal, 'stderr'>,
  quiet = false,
): Promise<Model> {
  const bar = new ProgressBar(stderr, quiet);
  try {
    return await loadModel(name, { ...options, onProgress: bar.fetched });
  } finally {
    bar.clear();
  }
}
