/**
 * What TypeScript says of programs in a project's folder, against the package's own types.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Project, root } from './documents.js';

/** The errors in programs by file name, one line an error, with these compiler options on top of the common ones. */
export function compilerErrors(
  project: Project,
  programs: Readonly<Record<string, string>>,
  options: object,
): string[] {
  for (const [name, program] of Object.entries(programs)) project.write(name, program);
  const compilerOptions = {
    target: 'ES2022',
    noEmit: true,
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules', '@types')],
    ...options,
  };
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: Object.keys(programs) }));
  const typescript = path.dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const { stdout } = spawnSync(
    process.execPath,
    [path.join(typescript, 'bin', 'tsc'), '-p', project.folder, '--pretty', 'false'],
    { cwd: project.folder, encoding: 'utf8' },
  );
  return stdout.split('\n').filter((line) => line.includes('error TS'));
}

/** {@link compilerErrors} of JavaScript: misspelt options and names. What programs in JavaScript need not tell is left out. */
export function scriptErrors(project: Project, programs: Readonly<Record<string, string>>): string[] {
  const javascript = {
    module: 'NodeNext',
    allowJs: true,
    checkJs: true,
    strict: false,
    skipLibCheck: true,
  };
  return compilerErrors(project, programs, javascript).filter(
    (line) => !/on type '(?:unknown|string \| AddressInfo)'/.test(line),
  );
}
