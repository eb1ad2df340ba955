/**
 * Models that streams load for themselves: streams with the same name share one, and the last one to close frees it. To keep a model
 * loaded, call `loadModel` and pass it in.
 */
import { claimOf, type ModelClaim, type ModelClaims } from './composition/model-claim.js';
import type { ParakeetOptions } from './composition/options.js';
import { loadModel } from './load-model.js';
import type { StageModel } from './model/stage-model.js';

type Loaded = StageModel & { close(): Promise<void> };

interface Shared {
  users: number;
  readonly loading: Promise<Loaded>;
  readonly aborter: AbortController;
}

const shared = new Map<string | undefined, Shared>();

/** How a stream claims its models: loaded ones, or those of these names; without a name `model` is the bundled one. */
export function claimsOf({ model, draftModel }: Pick<ParakeetOptions, 'model' | 'draftModel'>): ModelClaims {
  return {
    model: () => claim(model),
    draftModel: draftModel === undefined ? undefined : () => claim(draftModel),
  };
}

function claim(model: StageModel | string | undefined): ModelClaim {
  return typeof model === 'object' ? claimOf(model) : claimModel(model);
}

function claimModel(name: string | undefined): ModelClaim {
  const entry = shared.get(name) ?? start(name);
  entry.users++;
  const release = async () => {
    if (--entry.users > 0) return;
    if (shared.get(name) === entry) shared.delete(name);
    entry.aborter.abort();
    const model = await entry.loading.catch(() => undefined);
    await model?.close();
  };
  return { model: entry.loading, release };
}

function start(name: string | undefined): Shared {
  const aborter = new AbortController();
  const loading = loadModel(name, { signal: aborter.signal });
  const entry: Shared = { users: 0, loading, aborter };
  shared.set(name, entry);
  // The next stream tries again.
  entry.loading.catch(() => shared.get(name) === entry && shared.delete(name));
  return entry;
}
