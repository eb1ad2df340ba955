/** The entry point without LiveKit's framework, which is an optional peer. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

const HOOKS = `export async function resolve(name, context, next) {
  if (name !== '@livekit/agents') return next(name, context);
  throw Object.assign(new Error("Cannot find package '@livekit/agents'"), { code: 'ERR_MODULE_NOT_FOUND' });
}`;

const PROGRAM = `
  import { register } from 'node:module';
  register('data:text/javascript,' + encodeURIComponent(process.argv[1]));
  const { code, message } = await import(process.argv[2]).catch((error) => error);
  console.log(JSON.stringify({ code, message }));
`;

test('says which package is missing, and how to get it', () => {
  const entry = path.join(root, 'dist', 'livekit', 'index.js');
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM, HOOKS, entry], {
    encoding: 'utf8',
  });
  expect(JSON.parse(told)).toEqual({
    code: 'ERR_PARAKEET_MISSING_DEPENDENCY',
    message:
      'Expected the package @livekit/agents, which runs voice agents, but it is not installed. ' +
      'Install it: npm install @livekit/agents @livekit/rtc-node',
  });
});
