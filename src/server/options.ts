/** The options of the caption server: their meaning, defaults and checks. */
import { isIP } from 'node:net';
import type { Latency, Model } from '../index.js';
import { expected, finite, flag, integer, known, received } from '../options.js';

/** A client that may use the server, by the token that it sends. */
export interface ClientToken {
  /** Who it is, for the log: 1 to 64 letters, digits, `.`, `_`, `-` or `@`. */
  name: string;
  /** The secret: at least 16 visible ASCII characters without `,`, since it may be sent as a WebSocket's subprotocol. */
  token: string;
}

/** A certificate with its private key, both as PEM. */
export interface ServerCertificate {
  cert: string | Buffer;
  key: string | Buffer;
}

/** Options of `createServer`. Times are seconds, sizes bytes. */
export interface ServerOptions {
  /**
   * A loaded model, or the name of one, which the server loads and closes itself.
   * @defaultValue the bundled model, or the one that `PARAKEET_MODEL` names
   */
  model?: Model | string | undefined;
  /**
   * A second, faster model that writes the drafts of live transcripts, as in `parakeet`; loaded, or by name as `model`.
   * @defaultValue none
   */
  draftModel?: Model | string | undefined;
  /**
   * The model's id in answers.
   * @defaultValue the last part of the model's name; `'parakeet'` of a loaded one
   */
  modelName?: string | undefined;
  /**
   * Address to listen on.
   * @defaultValue `'127.0.0.1'`: this machine only
   */
  host?: string | undefined;
  /**
   * Port to listen on, 0 to 65535; 0 takes a free one.
   * @defaultValue 8000
   */
  port?: number | undefined;
  /**
   * The certificate to serve `https` and `wss`.
   * @defaultValue none: `http` and `ws`
   */
  tls?: ServerCertificate | undefined;
  /**
   * Clients that may use the server.
   * @defaultValue none: anybody who reaches the address, see `anonymous`
   */
  tokens?: readonly ClientToken[] | undefined;
  /**
   * Serve without tokens on an address that other machines reach.
   * @defaultValue false
   */
  anonymous?: boolean | undefined;
  /**
   * Web origins, such as `'https://captions.example'`, whose pages may use the server beside its own.
   * @defaultValue none
   */
  origins?: readonly string[] | undefined;
  /**
   * Most live transcripts at once, at least 1.
   * @defaultValue what the machine holds in real time, measured for about two seconds before the server listens
   */
  maxStreams?: number | undefined;
  /**
   * Most files that are transcribed at once, at least 1. Others wait.
   * @defaultValue 2
   */
  maxFiles?: number | undefined;
  /**
   * Most files that wait for their turn, at least 0.
   * @defaultValue 16
   */
  maxQueue?: number | undefined;
  /**
   * Most bytes of an upload, at least 1024.
   * @defaultValue 1 GiB
   */
  maxBody?: number | undefined;
  /**
   * Most bytes of an upload that are stored in a temporary file while its form is not complete, or because its container needs it. 0 refuses such uploads.
   * @defaultValue 1 GiB
   */
  maxSpool?: number | undefined;
  /**
   * Most seconds of sound of a file or a live transcript, at least 1.
   * @defaultValue 14,400 (four hours)
   */
  maxDuration?: number | undefined;
  /**
   * Seconds without sound, or a message that keeps the connection alive, after which a live transcript is ended, 1 to 3600.
   * @defaultValue 30
   */
  idleTimeout?: number | undefined;
  /**
   * Seconds that `close()` gives to live transcripts and files to end, 0 to 3600.
   * @defaultValue 10
   */
  stopTimeout?: number | undefined;
  /**
   * How long a live word waits for what comes after it.
   * @defaultValue `'balanced'`
   */
  latency?: Latency | undefined;
  /**
   * Speak the Wyoming protocol (Home Assistant's) on a port of its own, 0 to 65535; 0 takes a free one. The protocol has no tokens: whoever
   * reaches the address may use it.
   * @defaultValue no port
   */
  wyomingPort?: number | undefined;
  /**
   * Address of the Wyoming protocol.
   * @defaultValue `'127.0.0.1'`: this machine only
   */
  wyomingHost?: string | undefined;
  /**
   * Show the queue of an archive below `/jobs`, and count it in `/metrics`: the address of its Redis, and its name. Needs `@bull-board/api`,
   * `@bull-board/fastify`, `bullmq` and `ioredis`.
   * @defaultValue none; of `name` `'parakeet'`
   */
  jobs?: { url: string; name?: string | undefined } | undefined;
  /**
   * Keep live transcripts in Redis, so that a client whose server dies goes on with another one of the cluster: its address, and the seconds between two
   * snapshots of a transcript, 1 to 3600. All servers need the same model and version; there is no `draftModel` then. Needs `bullmq` and `ioredis`.
   * @defaultValue none; every 30 s
   */
  cluster?: { url: string; every?: number | undefined } | undefined;
  /**
   * Log as JSON lines on stdout: fastify's levels, or `false`. Neither audio nor text is logged.
   * @defaultValue false
   */
  log?: false | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | undefined;
}

/** The names of {@link ServerOptions}. */
const keys = [
  'model',
  'draftModel',
  'modelName',
  'host',
  'port',
  'tls',
  'tokens',
  'anonymous',
  'origins',
  'maxStreams',
  'maxFiles',
  'maxQueue',
  'maxBody',
  'maxSpool',
  'maxDuration',
  'idleTimeout',
  'stopTimeout',
  'latency',
  'wyomingPort',
  'wyomingHost',
  'jobs',
  'cluster',
  'log',
] as const;

const GIB = 2 ** 30;

/** {@link ServerOptions} with their defaults; `maxStreams` is still to be measured if it is undefined. */
export type ServerSettings = ReturnType<typeof settleServer>;

/** Checks the options and fills in their defaults. @throws {@link ArgumentError} */
export function settleServer(options: ServerOptions) {
  known('createServer', options, keys);
  const host = hostOf('host', options.host);
  const tokens = checkTokens(options.tokens ?? []);
  if (!flag('anonymous', options.anonymous ?? false) && tokens.length === 0 && !isLoopback(host)) {
    const remedy = 'Other machines reach this address. Or allow everybody: anonymous: true (--anonymous).';
    throw expected('tokens (--token-file)', `host ${host}`, options.tokens, remedy);
  }
  return {
    host,
    port: integer('port', options.port ?? 8000, 0, 65_535),
    tls: checkTls(options.tls),
    tokens,
    origins: (options.origins ?? []).map(checkOrigin),
    maxStreams:
      options.maxStreams === undefined ? undefined : integer('maxStreams', options.maxStreams, 1, 100_000),
    maxFiles: integer('maxFiles', options.maxFiles ?? 2, 1, 1000),
    maxQueue: integer('maxQueue', options.maxQueue ?? 16, 0, 100_000),
    maxBody: integer('maxBody', options.maxBody ?? GIB, 1024),
    maxSpool: integer('maxSpool', options.maxSpool ?? GIB, 0),
    maxDuration: finite('maxDuration', options.maxDuration ?? 4 * 3600, 1),
    idleTimeout: finite('idleTimeout', options.idleTimeout ?? 30, 1, 3600),
    stopTimeout: finite('stopTimeout', options.stopTimeout ?? 10, 0, 3600),
    latency: options.latency ?? ('balanced' as const),
    wyoming:
      options.wyomingPort === undefined
        ? undefined
        : {
            port: integer('wyomingPort', options.wyomingPort, 0, 65_535),
            host: hostOf('wyomingHost', options.wyomingHost),
          },
    jobs: options.jobs && checkJobs(options.jobs),
    cluster: options.cluster && checkCluster(options.cluster, options.draftModel),
    log: options.log ?? (false as const),
  };
}

function checkJobs(jobs: NonNullable<ServerOptions['jobs']>): { url: string; name: string } {
  known('jobs', jobs, ['url', 'name']);
  const { url, name = 'parakeet' } = jobs;
  if (typeof name !== 'string') throw expected("a queue's name", 'jobs.name', name);
  return { url: checkRedis('jobs.url', url), name };
}

function checkCluster(
  cluster: NonNullable<ServerOptions['cluster']>,
  draftModel: ServerOptions['draftModel'],
): { url: string; every: number } {
  known('cluster', cluster, ['url', 'every']);
  if (draftModel !== undefined)
    throw received('no draftModel beside cluster', 'draftModel', 'one', 'Leave out one of the two.');
  const every = finite('cluster.every', cluster.every ?? 30, 1, 3600);
  return { url: checkRedis('cluster.url', cluster.url), every };
}

/** @throws {@link ArgumentError}, which never shows a password. */
function checkRedis(option: string, url: unknown): string {
  if (typeof url === 'string' && /^rediss?:\/\/./i.test(url)) return url;
  throw expected('redis://HOST:PORT or rediss://HOST:PORT', option, typeof url);
}

function hostOf(option: string, host: unknown = '127.0.0.1'): string {
  if (typeof host === 'string' && host !== '') return host;
  throw expected('a host name or address', option, host);
}

/** Whether only this machine reaches the address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** @throws {@link ArgumentError}, which never shows a token. */
function checkTokens(tokens: readonly ClientToken[]): readonly ClientToken[] {
  if (!Array.isArray(tokens)) throw expected('a list of { name, token }', 'tokens', typeof tokens);
  tokens.forEach(({ name, token }: ClientToken, i) => {
    if (typeof name !== 'string' || !/^[\w.@-]{1,64}$/.test(name))
      throw expected('1 to 64 letters, digits, ".", "_", "-" or "@"', `tokens[${i}].name`, name);
    if (typeof token !== 'string' || !/^[!-+\--~]{16,}$/.test(token)) {
      const found = typeof token === 'string' ? `${token.length} characters` : typeof token;
      throw expected('at least 16 visible ASCII characters without ","', `tokens[${i}].token`, found);
    }
  });
  return tokens;
}

function checkOrigin(origin: string, i: number): string {
  const parsed = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin).origin : undefined;
  if (parsed !== undefined && parsed !== 'null' && parsed === origin) return origin;
  throw expected("an origin such as 'https://captions.example'", `origins[${i}]`, origin);
}

function checkTls(tls: ServerOptions['tls']): ServerOptions['tls'] {
  if (tls === undefined) return undefined;
  known('tls', tls, ['cert', 'key']);
  for (const name of ['cert', 'key'] as const) {
    const value = tls[name];
    if (typeof value !== 'string' && !Buffer.isBuffer(value))
      throw expected('PEM', `tls.${name}`, typeof value);
  }
  return tls;
}
