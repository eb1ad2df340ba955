/** What compiles the addon on this machine: the checkout, or the package of sources. */
import path from 'node:path';
import { DependencyError } from '../errors.js';
import { packageVersion } from '../version.js';
import { companionName, findCompanion } from './companions.js';
import { BUILT, isCheckout, root } from './find-addon.js';
import { howToAdd, managerOf } from './package-manager.js';

/**
 * The script that compiles, and where the addon then is.
 *
 * @throws {@link DependencyError} `ERR_PARAKEET_MISSING_DEPENDENCY` when the sources of this version are not installed.
 */
export function addonSources(): { script: string; addon: string } {
  const folder = isCheckout() ? root : installedSources();
  return { script: path.join(folder, 'scripts', 'install.mjs'), addon: path.join(folder, BUILT) };
}

function installedSources(): string {
  const source = findCompanion('source');
  if (source?.version === packageVersion) return source.folder;
  const specifier = `${companionName('source')}@${packageVersion}`;
  throw new DependencyError(
    `Expected the package ${specifier}, which has the engine's sources, but ${source ? source.version : 'none'} is installed. ` +
      `Run \`${howToAdd(managerOf(root), specifier)}\`, and build again.`,
  );
}
