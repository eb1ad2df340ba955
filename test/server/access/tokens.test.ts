/** Files of tokens, tickets' ends, and what a server's options must be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tickets } from '../../../src/server/access/tickets.js';
import { TokenList } from '../../../src/server/access/tokens.js';
import {
  createServer,
  readTokenFile,
  type ServerCertificate,
  type ServerOptions,
} from '../../../src/server/index.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'parakeet-tokens-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TOKEN = 'abcdefgh-ijklmnop-0123';

describe('readTokenFile', () => {
  const read = (text: string) => {
    const file = path.join(folder, 'tokens');
    writeFileSync(file, text);
    return readTokenFile(file);
  };

  test('names and tokens, with comments and empty lines', async () => {
    expect(await read(`# ours\n\nstudio ${TOKEN}\r\n  hall\t${TOKEN}x  \n`)).toEqual([
      { name: 'studio', token: TOKEN },
      { name: 'hall', token: `${TOKEN}x` },
    ]);
  });

  test('an error names the line, and shows nothing of it', async () => {
    const error = await read(`studio ${TOKEN}\nsecret-without-a-name\n`).catch((cause: Error) => cause);
    expect(error).toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringContaining('line 2'),
    });
    expect(String(error)).not.toContain('secret');
  });

  test('no file, and a file without a token', async () => {
    await expect(readTokenFile(path.join(folder, 'nowhere'))).rejects.toThrow(/cannot be read/);
    await expect(read('# nothing\n')).rejects.toThrow(/at least one token/);
  });
});

test('a token is found among several, and no other', () => {
  const list = new TokenList([
    { name: 'a', token: TOKEN },
    { name: 'b', token: `${TOKEN}2` },
  ]);
  expect([TOKEN, `${TOKEN}2`, `${TOKEN}3`, ''].map((token) => list.clientOf(token))).toEqual([
    'a',
    'b',
    undefined,
    undefined,
  ]);
});

test('a ticket ends, and is valid for the process that made it only', () => {
  const tickets = new Tickets();
  const text = tickets.issue('a', 'client', 60, 1000);
  expect(tickets.read(text, 60_999)).toMatchObject({ client: 'a', scope: 'client' });
  expect(tickets.read(text, 61_000)).toBeUndefined();
  expect(new Tickets().read(text, 1001)).toBeUndefined();
});

describe('options', () => {
  test.each<[string, ServerOptions, RegExp]>([
    ['everybody on an address that others reach', { host: '0.0.0.0' }, /tokens.*anonymous: true/],
    [
      'a short token',
      { tokens: [{ name: 'a', token: 'short' }] },
      /tokens\[0\]\.token but received '5 characters'/,
    ],
    ['a token with a comma', { tokens: [{ name: 'a', token: `${TOKEN},` }] }, /tokens\[0\]\.token/],
    ['a name with a space', { tokens: [{ name: 'a b', token: TOKEN }] }, /tokens\[0\]\.name/],
    ['an origin with a path', { origins: ['https://a.example/x'] }, /origins\[0\]/],
    ['a port beyond all', { port: 65_536 }, /port/],
    ['no streams', { maxStreams: 0 }, /maxStreams/],
    ['an unknown name', { ports: 1 } as ServerOptions, /ports/],
    ['a certificate without its key', { tls: { cert: 'x' } as ServerCertificate }, /tls\.key/],
  ])('%s: an ArgumentError', async (_, options, message) => {
    await expect(createServer(options)).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
  });

  test('a message about a token does not show it', async () => {
    const error = (await createServer({ tokens: [{ name: 'a', token: 'tooshort' }] }).catch(
      (cause) => cause,
    )) as Error;
    expect(error.message).not.toContain('tooshort');
  });
});
