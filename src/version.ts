/**
 * The version of this package. A constant, not read from package.json: a bundle has no package.json beside it.
 * `node scripts/set-version.mjs` writes it.
 */
export const packageVersion = '0.1.0';
