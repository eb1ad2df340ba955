/**
 * `parakeet build`: compiles the addon on this machine, from `@parakeet-stream/source`, or from the checkout that the command runs in.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { addonSources } from '../engine/addon-sources.js';
import type { Values } from './cli-option.js';
import type { Context } from './program.js';

export async function build(_args: string[], _values: Values, { terminal }: Context): Promise<number> {
  const { script, addon } = addonSources();
  // What it prints is for whoever waits: what is fetched and compiled, or what is missing.
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: terminal.env,
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) terminal.stdout.write(`${path.relative('', addon)}\n`);
  return code ?? 1;
}
