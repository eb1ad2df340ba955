/** Runs npm. On Windows its command is a script of the shell, which Node starts by no name: there it is the npm that runs us. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

/**
 * @param {readonly string[]} args
 * @param {{ cwd: string }} options
 * @param {{ platform?: string, env?: Record<string, string | undefined> }} machine
 */
export function runNpm(args, options, { platform = process.platform, env = process.env } = {}) {
  const [command, ...before] = npmCommand(platform, env);
  const result = spawnSync(command, [...before, ...args], { ...options, encoding: 'utf8' });
  if (result.error) throw result.error;
  return result;
}

/** What to start. */
export function npmCommand(platform, { npm_execpath: program = '' }) {
  if (path.win32.basename(program) === 'npm-cli.js') return [process.execPath, program];
  if (platform === 'win32') throw new Error('Expected to be started by npm on Windows: npm run pack');
  return ['npm'];
}
