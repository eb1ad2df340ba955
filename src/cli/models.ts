/**
 * `parakeet models pull|list|info|rm|convert`: the models of the hub that this machine has, and writing one in our own format.
 */
import { cachedModels, removeCachedModel } from '../model/cached-models.js';
import { type ConvertModelOptions, convertModel } from '../model/convert.js';
import { fetchFromHub, type HubProgress, isRepositoryId } from '../model/hub.js';
import { loadModel } from '../model/load-model.js';
import { onInterrupt } from './interrupt.js';
import { modelOptions } from './library-options.js';
import type { Parsed } from './options.js';
import { ProgressBar } from './progress.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export async function models(parsed: Parsed, terminal: Terminal): Promise<number> {
  const [action, name, ...more] = parsed.positionals;
  const cacheDir = parsed.values.get('cache-dir') as string | undefined;
  const revision = parsed.values.get('revision') as string | undefined;
  const json = parsed.values.get('json') === true;
  const print = (value: unknown, text: string) =>
    terminal.stdout.write(json ? `${JSON.stringify(value)}\n` : text);
  const needsName = (): string => {
    if (name !== undefined && more.length === 0) return name;
    throw new UsageError(`Expected one model's name after models ${action}`);
  };
  switch (action) {
    case 'list': {
      if (name !== undefined) throw new UsageError(`Expected nothing after models list but received ${name}`);
      const found = await cachedModels(cacheDir);
      print(
        found,
        found
          .map(
            (model) => `${model.name}  ${model.revision ?? model.commit.slice(0, 8)}  ${size(model.bytes)}\n`,
          )
          .join(''),
      );
      return 0;
    }
    case 'pull': {
      const repo = needsName();
      if (!isRepositoryId(repo)) throw new UsageError(`Expected owner/name but received ${repo}`);
      const folder = await shown(terminal, (work) => fetchFromHub(repo, { cacheDir, revision, ...work }));
      print({ name: repo, folder }, `${folder}\n`);
      return 0;
    }
    case 'info': {
      const { options } = modelOptions(parsed.values);
      const model = await loadModel(needsName(), { ...options, offline: true });
      const { vocabulary, prior, ...info } = model.info;
      await model.close();
      const facts = { ...info, vocabulary: vocabulary.length, prior: prior !== undefined };
      print(
        facts,
        Object.entries(facts)
          .map(
            ([key, value]) => `${key.padEnd(20)}${Array.isArray(value) ? value.join(', ') : String(value)}\n`,
          )
          .join(''),
      );
      return 0;
    }
    case 'rm': {
      const freed = await removeCachedModel(needsName(), cacheDir);
      print({ name, freed }, `${size(freed)} freed\n`);
      return 0;
    }
    case 'convert': {
      const [folder, ...rest] = more;
      if (name === undefined || folder === undefined || rest.length > 0)
        throw new UsageError('Expected a model and a new folder after models convert');
      const dtype = parsed.values.get('dtype') as ConvertModelOptions['dtype'] | 'auto';
      const wanted = { dtype: dtype === 'auto' ? undefined : dtype, cacheDir, revision };
      const { bytes } = await shown(terminal, (work) => convertModel(name, folder, { ...wanted, ...work }));
      print({ folder, bytes }, `${folder}  ${size(bytes)}\n`);
      return 0;
    }
    default:
      throw new UsageError(
        `Expected models pull, list, info, rm or convert but received ${action ?? 'nothing'}`,
      );
  }
}

/** Runs what takes long: a bar shows how far it is, and Ctrl-C ends it. */
async function shown<T>(
  terminal: Terminal,
  run: (work: { signal: AbortSignal; onProgress: (progress: HubProgress) => void }) => Promise<T>,
): Promise<T> {
  const interrupt = onInterrupt(terminal);
  const bar = new ProgressBar(terminal.stderr);
  try {
    return await run({ signal: interrupt.signal, onProgress: bar.fetched });
  } finally {
    bar.clear();
    interrupt.dispose();
  }
}

function size(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
