/**
 * A registry on 127.0.0.1 that has our packages, and everything else from the registry that npm is set up for. It runs under a Node of its
 * own, since verdaccio needs a newer one than we do.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { installed, nodeIn } from '../support/installed.js';

export interface Registry {
  url: string;
  publish(tarball: string): void;
  close(): Promise<void>;
}

/** @param folder where it keeps what is published and fetched */
export async function startRegistry(folder: string): Promise<Registry> {
  const home = installed('packages');
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  mkdirSync(folder, { recursive: true });
  const config = path.join(folder, 'config.yaml');
  const anybody = { access: '$all', publish: '$all' };
  writeFileSync(
    config,
    stringify({
      storage: path.join(folder, 'storage'),
      max_body_size: '500mb',
      auth: { htpasswd: { file: path.join(folder, 'htpasswd') } },
      uplinks: { upstream: { url: upstream, maxage: '60m', timeout: '60s', max_fails: 20 } },
      // Ours come from nowhere else, whatever is published one day.
      packages: {
        '@parakeet-stream/*': anybody,
        'parakeet-stream': anybody,
        '**': { access: '$all', proxy: 'upstream' },
      },
      log: { type: 'stdout', format: 'json', level: 'error' },
    }),
  );
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const program = path.join(home, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
  const server = spawn(nodeIn(home), [program, '--config', config, '--listen', `127.0.0.1:${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (bytes) => (said += String(bytes)));
  await answers(`${url}-/ping`, server, () => said);

  // npm publishes only with a token, which this registry does not look at.
  const npmrc = path.join(folder, 'publish.npmrc');
  writeFileSync(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=anybody\n`);
  return {
    url,
    publish(tarball) {
      const { status, stderr } = spawnSync(
        'npm',
        ['publish', tarball, '--userconfig', npmrc, '--ignore-scripts'],
        {
          cwd: folder,
          encoding: 'utf8',
        },
      );
      if (status !== 0) throw new Error(`npm publish ${tarball} failed:\n${stderr}\n${said}`);
    },
    async close() {
      const exit = once(server, 'exit');
      server.kill();
      await exit;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function answers(url: string, server: ChildProcess, said: () => string): Promise<void> {
  for (let tries = 0; tries < 300 && server.exitCode === null; tries++) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not listening yet.
    }
    await sleep(100);
  }
  server.kill();
  throw new Error(`Expected the registry to answer at ${url} but it does not:\n${said()}`);
}
