/**
 * Where the model that comes with the package is, and what `parakeet verify` holds it against: in a checkout in models/, else in the
 * package `@parakeet-stream/tiny-en`.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { companionName, findCompanion } from './engine/companions.js';
import { howToAdd, managerOf } from './engine/package-manager.js';
import { ModelError } from './errors.js';
import { fileOf } from './node-require.js';
import { packageVersion } from './version.js';

const BUNDLED = 'parakeet-tiny-en';
const root = path.resolve(fileOf(import.meta.url), '../..');

/** The folder of the model that loads without a name. */
export const bundledModel = (): string => inModels(BUNDLED);

/** Whether this is the folder of the bundled model. */
export function isBundled(folder: string): boolean {
  const places = [path.join(root, 'models'), findCompanion('tiny-en')?.folder];
  return places.some((place) => place !== undefined && path.resolve(folder) === path.join(place, BUNDLED));
}

/** What a name means, wherever one may be left out: without it the model that `PARAKEET_MODEL` names, else the bundled one. */
export const namedModel = (name: string | undefined): string =>
  name ?? (process.env.PARAKEET_MODEL || bundledModel());

/** The folder of the data for `parakeet verify`. */
export const verifyData = (): string => inModels('verify');

/** @throws {@link ModelError} `ERR_PARAKEET_MODEL_NOT_FOUND` when the package is not installed. */
function inModels(name: string): string {
  const own = path.join(root, 'models', name);
  if (existsSync(own)) return own;
  const companion = findCompanion('tiny-en');
  if (companion) return path.join(companion.folder, name);
  const specifier = `${companionName('tiny-en')}@${packageVersion}`;
  throw new ModelError(
    'ERR_PARAKEET_MODEL_NOT_FOUND',
    `Expected the package ${companionName('tiny-en')}, which has the model that loads without a name, but it is not installed. ` +
      `Run \`${howToAdd(managerOf(root), specifier)}\`, or name a model.`,
  );
}
