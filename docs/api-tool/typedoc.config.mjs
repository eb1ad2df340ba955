/**
 * The API reference: what src/index.ts exports, as HTML in docs/api. `npm run -s docs` makes it; a warning is a failure.
 *
 * A workspace of its own, because TypeDoc needs the compiler as a JavaScript library, which TypeScript 7 no longer is. Here lies
 * TypeScript 6, which reads the same language, and nothing else of the project sees it. When TypeDoc takes the project's TypeScript,
 * the folder goes and TypeDoc becomes an ordinary devDependency.
 */
export default {
  name: 'parakeet-stream',
  entryPoints: ['../../src/index.ts', '../../src/stages.ts'],
  tsconfig: '../../tsconfig.build.json',
  out: '../api',
  readme: 'none',
  // Nothing in the pages tells where and when they were made.
  disableSources: true,
  disableGit: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  githubPages: false,
  logLevel: 'Warn',
  validation: {
    notExported: true,
    invalidLink: true,
    rewrittenLink: true,
    notDocumented: true,
    unusedMergeModuleWith: true,
  },
  // Not properties: the type of an event, say, needs no words.
  requiredToBeDocumented: [
    'Accessor',
    'CallSignature',
    'Class',
    'Function',
    'Interface',
    'Method',
    'TypeAlias',
    'Variable',
  ],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
};
