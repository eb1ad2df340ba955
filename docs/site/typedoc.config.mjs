/**
 * The API reference as pages of the site: what the entry points export, one page a name. A warning is a failure.
 *
 * TypeDoc needs the compiler as a JavaScript library, which TypeScript 7 no longer is. In this folder lies TypeScript 6, which
 * reads the same language, and nothing else of the project sees it.
 */
export default {
  name: 'API',
  entryPoints: ['../../src/index.ts', '../../src/stages.ts'],
  tsconfig: '../../tsconfig.build.json',
  plugin: ['typedoc-plugin-markdown'],
  out: '.pages/api',
  entryFileName: 'index',
  readme: 'none',
  // Nothing in the pages tells where and when they were made.
  disableSources: true,
  disableGit: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
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
