// A hub of our own on this machine: as much of the Hugging Face hub's protocol as fetching a model needs, and its faults.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { goldenFolder } from './goldens.js';

export const REPO = 'someone/parakeet-golden';
/** How the repository's folder in a cache is called. */
export const REPO_FOLDER = 'models--someone--parakeet-golden';
export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
export const FILES = Object.fromEntries(
  ['config.json', 'model.safetensors'].map((name) => [
    name,
    readFileSync(path.join(goldenFolder('ctc'), name)),
  ]),
) as Record<string, Buffer>;
export const CONFIG = FILES['config.json'] as Buffer;
export const WEIGHTS = FILES['model.safetensors'] as Buffer;
export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
export const gitHash = (bytes: Buffer) =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
/** The names of the two blobs, sorted. */
export const BLOBS = [gitHash(CONFIG), sha256(WEIGHTS)].sort();

export interface Faults {
  /** Sends only so many bytes of a body of the weights, then cuts the line. */
  cutAt?: number;
  /** Sends so many bytes of the weights, then nothing more. */
  stallAt?: number;
  /** Sends the weights in pieces, with so many milliseconds between them. */
  slow?: number;
  /** Holds the weights back until so many ask for them at once. */
  together?: number;
  /** Changes a byte of the weights. */
  corrupt?: boolean;
  /** Only requests with this token are answered. */
  token?: string;
  /** A file that the repository does not have. */
  without?: string;
  /** The hub is broken. */
  status?: number;
  /** Turns away this many of the requests whose path matches, with these headers. */
  busy?: { times: number; path?: RegExp; status?: number; headers?: Record<string, string> };
  /** Files are kept at another origin, and the hub says where. */
  redirect?: boolean;
  /** Clients that support the hub's own transfer protocol (Xet) are told how to use it, as the real hub does for all large files. */
  xet?: boolean;
  /** Answers a range of the weights with all of them. */
  ignoreRange?: boolean;
}

interface Request {
  method: string;
  path: string;
  range: string;
  authorization: string | undefined;
  /** True at the other origin. */
  elsewhere: boolean;
}

export class HubServer {
  faults: Faults = {};
  /** What the repository holds. */
  files: Record<string, Buffer> = FILES;
  requests: Request[] = [];
  #waiting: (() => void)[] = [];
  readonly #hub = createServer((request, response) => void this.#answer(request, response));
  readonly #elsewhere = createServer((request, response) => void this.#answer(request, response, true));

  async listen(): Promise<void> {
    for (const server of [this.#hub, this.#elsewhere])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  close(): void {
    for (const server of [this.#hub, this.#elsewhere]) {
      server.closeAllConnections();
      server.close();
    }
  }

  /** A hub without faults that was never asked. */
  reset(): void {
    this.faults = {};
    this.files = FILES;
    this.requests = [];
    this.#waiting = [];
  }

  get url(): string {
    return urlOf(this.#hub);
  }

  /** Whole or partial GETs of the weights, not counting the probe of one byte, nor what was only sent elsewhere. */
  get weightGets(): Request[] {
    return this.requests.filter(
      (one) =>
        one.path.includes('safetensors') &&
        one.range !== 'bytes=0-0' &&
        one.elsewhere === (this.faults.redirect === true),
    );
  }

  async #answer(request: IncomingMessage, response: ServerResponse, elsewhere = false): Promise<void> {
    const { method = '', url = '', headers } = request;
    const { pathname } = new URL(url, 'http://hub');
    const { authorization, range = '' } = headers;
    this.requests.push({ method, path: pathname, range, authorization, elsewhere });
    const json = (status: number, body: unknown, more: Record<string, string> = {}) => {
      response.writeHead(status, { 'Content-Type': 'application/json', ...more }).end(JSON.stringify(body));
    };
    const { status, busy, token } = this.faults;
    if (elsewhere) return this.#send(pathname.slice(1), range, response);
    if (status) return json(status, { error: 'Internal trouble' });
    if (busy && busy.times > 0 && (busy.path?.test(pathname) ?? true)) {
      busy.times--;
      return json(busy.status ?? 429, { error: 'Too many requests' }, busy.headers);
    }
    if (token && authorization !== `Bearer ${token}`) return json(401, { error: 'Invalid credentials' });
    if (!pathname.includes(REPO)) return json(404, { error: 'Repository not found' });
    if (pathname.startsWith(`/api/models/${REPO}/revision/`)) {
      if (!['main', COMMIT].includes(decodeURIComponent(pathname.split('/').at(-1) as string)))
        return json(404, { error: 'Invalid rev id' });
      return json(200, { _id: '1', id: REPO, sha: COMMIT, lastModified: '2025-01-01T00:00:00.000Z' });
    }
    if (pathname === `/api/models/${REPO}/tree/${COMMIT}`) return json(200, this.#describe());
    const name = pathname.replace(new RegExp(`^/${REPO}/resolve/(?:main|${COMMIT})/`), '');
    if (!(name in this.files)) return json(404, { error: 'Entry not found' });
    if (this.faults.xet && name === 'model.safetensors' && headers.accept?.includes('xet-fileinfo'))
      return this.#describeXet(name, response);
    if (this.faults.redirect) {
      response.writeHead(302, { ...this.#marksOf(name), Location: `${urlOf(this.#elsewhere)}${name}` }).end();
    } else this.#send(name, range, response);
  }

  #describe(): object[] {
    return Object.entries(this.files)
      .filter(([name]) => name !== this.faults.without)
      .map(([name, bytes]) => {
        const lfs = { oid: sha256(bytes), size: bytes.length, pointerSize: 130 };
        return {
          type: 'file',
          path: name,
          size: bytes.length,
          oid: gitHash(bytes),
          ...(isLarge(name) && { lfs }),
        };
      });
  }

  #marksOf(name: string): Record<string, string> {
    return marksOf(name, this.files[name] as Buffer);
  }

  #describeXet(name: string, response: ServerResponse): void {
    const link = (rel: string) => `<${this.url}xet/${rel}>; rel="${rel}"`;
    response.writeHead(200, {
      ...this.#marksOf(name),
      'Content-Type': 'application/vnd.xet-fileinfo+json',
      'X-Xet-Hash': 'f'.repeat(64),
      Link: [link('xet-auth'), link('xet-reconstruction-info')].join(', '),
    });
    response.end('{}');
  }

  #send(name: string, range: string, response: ServerResponse): void {
    const { corrupt, cutAt, stallAt, slow, together, ignoreRange } = this.faults;
    const bytes = this.files[name] as Buffer;
    const partial = range !== '' && !(ignoreRange && range !== 'bytes=0-0');
    const [begin = 0, last = 0] = partial ? (range.match(/\d+/g) ?? []).map(Number) : [0, bytes.length - 1];
    const body = Buffer.from(bytes.subarray(begin, last + 1));
    const faulty = name === 'model.safetensors' && body.length > 1;
    if (faulty && corrupt) body[body.length - 1] = (body[body.length - 1] as number) ^ 1;
    response.writeHead(partial ? 206 : 200, {
      ...this.#marksOf(name),
      'Accept-Ranges': 'bytes',
      'Content-Length': body.length,
      ...(partial && { 'Content-Range': `bytes ${begin}-${last}/${bytes.length}` }),
    });
    if (faulty && cutAt !== undefined && cutAt < body.length)
      response.write(body.subarray(0, cutAt), () => setTimeout(() => response.destroy(), 50));
    else if (faulty && stallAt !== undefined) response.write(body.subarray(0, stallAt));
    else if (faulty && slow !== undefined) void trickle(body, slow, response);
    else if (faulty && together !== undefined) this.#release(() => response.end(body), together);
    else response.end(body);
  }

  #release(send: () => void, together: number): void {
    this.#waiting.push(send);
    if (this.#waiting.length >= together) for (const one of this.#waiting.splice(0)) one();
  }
}

/** Kept outside git. */
const isLarge = (name: string) => /\.(?:safetensors|nemo)$/.test(name);

/** What the hub says of a file beside its bytes. */
function marksOf(name: string, bytes: Buffer): Record<string, string> {
  return {
    'X-Repo-Commit': COMMIT,
    ETag: `"${gitHash(bytes)}"`,
    ...(isLarge(name) && {
      'X-Linked-ETag': `"${sha256(bytes)}"`,
      'X-Linked-Size': String(bytes.length),
    }),
  };
}

async function trickle(body: Buffer, milliseconds: number, response: ServerResponse): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += 65_536) {
    response.write(body.subarray(at, at + 65_536));
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
  response.end();
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
