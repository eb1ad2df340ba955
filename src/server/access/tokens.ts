/** Bearer tokens: reading them from a file, and comparing them in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ArgumentError } from '../../index.js';
import type { ClientToken } from '../options.js';

/**
 * Reads tokens from a file: a name, white space and a token on each line. Empty lines and lines that begin with `#` are ignored.
 *
 * @throws {@link ArgumentError} (as a rejection) that names the line, or when the file cannot be read.
 *
 * @example
 * ```js
 * import { randomBytes } from 'node:crypto';
 * import { writeFile } from 'node:fs/promises';
 * import { readTokenFile } from 'parakeet-stream/server';
 *
 * await writeFile('tokens', `studio ${randomBytes(24).toString('base64url')}\n`);
 * const tokens = await readTokenFile('tokens');
 * console.log(tokens.map(({ name }) => name));
 * ```
 */
export async function readTokenFile(file: string): Promise<ClientToken[]> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new ArgumentError(`Expected a file of tokens in ${file} but it cannot be read (${cause.message})`, {
      cause,
    });
  });
  const tokens: ClientToken[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, token] = /^\s*(\S+)\s+(\S+)\s*$/.exec(line) ?? [];
    // Not the line itself: it may hold a secret.
    if (name === undefined || token === undefined)
      throw new ArgumentError(`Expected a name, a space and a token in line ${i + 1} of ${file}`);
    tokens.push({ name, token });
  }
  if (tokens.length === 0) throw new ArgumentError(`Expected at least one token in ${file}`);
  return tokens;
}

/** The clients' tokens, kept as hashes. */
export class TokenList {
  readonly #clients: { name: string; hash: Buffer }[];

  constructor(tokens: readonly ClientToken[]) {
    this.#clients = tokens.map(({ name, token }) => ({ name, hash: hashOf(token) }));
  }

  get empty(): boolean {
    return this.#clients.length === 0;
  }

  /** The name of the client with this token. Takes the same time for every wrong token: hashes have one length, and all are compared. */
  clientOf(token: string): string | undefined {
    const hash = hashOf(token);
    let found: string | undefined;
    for (const client of this.#clients) if (timingSafeEqual(client.hash, hash)) found = client.name;
    return found;
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
