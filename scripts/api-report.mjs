/**
 * The public surface as text, one report in docs/api-report for each entry point of package.json: the types in dist/ (API Extractor), and which
 * names exist at run time. `npm run -s api` writes the reports; with `--check` it compares them and prints the difference. Documentation is
 * not its concern: docs/site.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('..', import.meta.url));
const packageJson = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const reports = path.join(root, 'docs', 'api-report');

/** The entry points that have types: the name people import, and its file without an ending. */
function entryPoints() {
  return Object.entries(packageJson.exports)
    .filter(([, target]) => target.types)
    .map(([name, target]) => ({
      name: path.posix.join(packageJson.name, name),
      types: path.join(root, target.types),
      module: path.join(root, target.default),
    }));
}

/** What API Extractor says of an entry point, and its own complaints. */
function typesOf({ name, types }, folder) {
  const fileName = `${name.replaceAll('/', '-')}.api.md`;
  const quiet = { logLevel: ExtractorLogLevel.None };
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: types,
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: path.join(root, 'tsconfig.build.json'), skipLibCheck: true },
      apiReport: {
        enabled: true,
        reportFileName: fileName,
        reportFolder: path.join(folder, 'reports'),
        reportTempFolder: path.join(folder, 'temporary'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        // TypeDoc (docs/site) checks the comments, and links in them. A type that is not exported is marked in the report.
        extractorMessageReporting: {
          default: quiet,
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: quiet },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: path.join(root, 'package.json'),
    packageJson,
  });
  mkdirSync(path.join(folder, 'reports'));
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      if (message.logLevel === ExtractorLogLevel.Error) process.stderr.write(`${message.text}\n`);
      message.handled = true;
    },
  });
  return { fileName, text: readFileSync(path.join(folder, 'reports', fileName), 'utf8') };
}

/** The report of an entry point. A name that exists as a type only is missing in the second part. */
async function reportOf(entry) {
  const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-api-'));
  try {
    const { fileName, text } = typesOf(entry, folder);
    const values = Object.keys(await import(pathToFileURL(entry.module).href)).sort();
    const title = `# ${entry.name}\n\nMade by \`npm run -s api\`; do not edit.\n\n`;
    const body = text
      .slice(text.indexOf('```ts'))
      // Remarks on comments, which tell nothing about the surface.
      .replaceAll(/^ *\/\/ \((undocumented|No @packageDocumentation .*)\)\n+/gm, '');
    return {
      fileName,
      text: `${title}${body}\n## At run time\n\n${values.map((name) => `- ${name}\n`).join('')}`,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How a checked-in report differs from what is true now, as lines of a diff. Null: there is no such report. */
function difference(fileName, text) {
  const file = path.join(reports, fileName);
  if (text !== null && existsSync(file) && readFileSync(file, 'utf8') === text) return '';
  const labels = ['--label', `docs/api-report/${fileName}`, '--label', 'now'];
  return spawnSync('diff', ['-u', '-N', ...labels, file, '-'], { input: text ?? '', encoding: 'utf8' })
    .stdout;
}

const now = new Map();
for (const entry of entryPoints()) {
  const { fileName, text } = await reportOf(entry);
  now.set(fileName, text);
}
mkdirSync(reports, { recursive: true });
const names = new Set([...now.keys(), ...readdirSync(reports)]);

if (process.argv.includes('--check')) {
  const differences = [...names].map((name) => difference(name, now.get(name) ?? null)).join('');
  if (differences) {
    process.stdout.write(differences);
    process.stderr.write(
      'The public surface is not what docs/api-report says. If that is meant: npm run -s api\n',
    );
    process.exitCode = 1;
  }
} else {
  for (const name of names) rmSync(path.join(reports, name), { force: true });
  for (const [name, text] of now) writeFileSync(path.join(reports, name), text);
}
