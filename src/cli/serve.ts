/**
 * `parakeet serve`: the caption server until a signal ends it. The options are the library's; it ends with exit code 0 when what was live is
 * delivered.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Model } from '../model.js';
import { createServer, readTokenFile, type ServerOptions } from '../server/index.js';
import type { Values } from './cli-option.js';
import { loadOptions, pick } from './library-options.js';
import { loadShown } from './load-model.js';
import type { Context } from './program.js';
import { UsageError } from './usage-error.js';

export async function serve(_args: string[], values: Values, { terminal, ending }: Context): Promise<number> {
  const { signal } = ending;
  const name = values.model as string | undefined;
  const options = await serverOptions(values);
  const load = (which: string | undefined) =>
    loadShown(which, { ...loadOptions(values), signal }, terminal, values.quiet === true);
  const model = await load(name);
  let draftModel: Model | undefined;
  try {
    if (values.draftModel !== undefined) draftModel = await load(values.draftModel as string);
    // The second request ends it at once, whoever is still being served.
    signal.addEventListener('abort', () => terminal.exit(ending.code ?? 1));
    const server = await createServer({ ...options, model, draftModel });
    const ended = new Promise<void>((resolve, reject) => {
      ending.onFirst(() => {
        server.close().then(() => {
          // Being asked to end is how a server ends.
          ending.forget();
          resolve();
        }, reject);
      });
    });
    const address = await server.listen();
    if (values.quiet !== true) {
      const streams = `${server.maxStreams} live transcript${server.maxStreams === 1 ? '' : 's'} at once`;
      terminal.stderr.write(`parakeet: listening on ${address}, ${streams}\n`);
    }
    await ended;
  } finally {
    ending.onFirst(undefined);
    await Promise.all([model.close(), draftModel?.close()]);
  }
  return 0;
}

async function serverOptions(values: Values): Promise<ServerOptions> {
  const name = values.model as string | undefined;
  const tokenFile = values.tokenFile as string | undefined;
  const level = values.logLevel as NonNullable<Exclude<ServerOptions['log'], false>> | 'none';
  return {
    ...pick<ServerOptions>(values, [
      'host',
      'port',
      'anonymous',
      'maxStreams',
      'maxFiles',
      'maxBody',
      'maxSpool',
      'maxDuration',
      'idleTimeout',
      'stopTimeout',
      'latency',
      'wyomingHost',
    ]),
    modelName: path.basename(name ?? 'parakeet-tiny-en', '.nemo'),
    ...(values.origin !== undefined && { origins: values.origin as string[] }),
    ...(tokenFile !== undefined && { tokens: await readTokenFile(tokenFile) }),
    ...(values.cluster === true && { cluster: { url: values.redis as string } }),
    ...(values.jobs === true && {
      jobs: { url: values.redis as string, name: values.queue as string },
    }),
    tls: await certificate(values),
    log: level === 'none' ? false : level,
  };
}

async function certificate({ tlsCert, tlsKey }: Values): Promise<ServerOptions['tls']> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new UsageError('Expected both --tls-cert and --tls-key, or neither');
  return { cert: await pem('--tls-cert', tlsCert as string), key: await pem('--tls-key', tlsKey as string) };
}

async function pem(option: string, file: string): Promise<Buffer> {
  return readFile(file).catch((cause: Error) => {
    throw new UsageError(`Expected a PEM file for ${option} but it cannot be read (${cause.message})`);
  });
}
