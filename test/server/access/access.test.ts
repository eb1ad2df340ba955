/** Who may come in: tokens, tickets, origins, for requests and sockets alike. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, stopServers, type TestServer, TestSocket } from '../../support/caption-server.js';

const TOKEN = 'abcdefgh-ijklmnop-0123';
const OTHER = 'ZYXWVUTS-RQPONMLK-9876';
let open: TestServer;
let closed: TestServer;
beforeAll(async () => {
  open = await startServer();
  const tokens = [
    { name: 'studio', token: TOKEN },
    { name: 'hall', token: OTHER },
  ];
  closed = await startServer({ tokens, origins: ['https://captions.example'] }, ({ fastify }) => {
    fastify.get('/who', async ({ client }) => ({ client }));
    fastify.get('/rooms/:room/watch', { config: { access: 'room' } }, async ({ client }) => ({ client }));
  });
});
afterAll(stopServers);

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${closed.http}${path}`, { headers });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ticket = async (body: object, token = TOKEN) => {
  const answer = await fetch(`${closed.http}/v1/tickets`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...((await answer.json()) as { ticket: string; expires_in: number }) };
};
const LISTEN = '/v1/listen?encoding=linear16&sample_rate=16000';
const KEEP_ALIVE = { type: 'KeepAlive' };

describe('tokens', () => {
  test.each([
    ['none', undefined],
    ['a wrong one', 'Bearer abcdefgh-ijklmnop-0124'],
    ['a part of one', 'Bearer abcdefgh'],
    ['an empty one', 'Bearer '],
    ['another scheme', `Basic ${TOKEN}`],
    ['two at once', `Bearer ${TOKEN} ${OTHER}`],
  ])('%s: 401', async (_, authorization) => {
    const answer = await get('/v1/models', authorization === undefined ? {} : { authorization });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await answer.json()).toMatchObject({ error: { code: 'ERR_PARAKEET_SERVER_ACCESS' } });
  });

  test('each client is known by its own', async () => {
    expect(await (await get('/who', bearer(TOKEN))).json()).toEqual({ client: 'studio' });
    expect(await (await get('/who', { authorization: `Token ${OTHER}` })).json()).toEqual({ client: 'hall' });
  });

  test('health and readiness need none, metrics do', async () => {
    expect((await get('/health')).status).toBe(200);
    expect((await get('/ready')).status).toBe(200);
    expect((await get('/metrics')).status).toBe(401);
  });

  test('an address is no place for a token', async () => {
    expect((await get(`/v1/models?ticket=${TOKEN}`)).status).toBe(401);
  });

  test.each<[string, string[], Record<string, string>, string]>([
    ['in a header', [], bearer(TOKEN), ''],
    ["as Deepgram's subprotocol", ['token', TOKEN], {}, 'token'],
    [
      "as OpenAI's",
      ['realtime', `openai-insecure-api-key.${TOKEN}`, 'openai-beta.realtime-v1'],
      {},
      'realtime',
    ],
  ])('a socket shows it %s', async (_, protocols, headers, agreed) => {
    const socket = await TestSocket.open(`${closed.ws}${LISTEN}`, protocols, { headers });
    expect(socket.socket.protocol).toBe(agreed);
    socket.send(KEEP_ALIVE);
    socket.socket.close();
  });

  test.each([['without'], ['with a wrong one']])('a socket %s is refused', async (which) => {
    const protocols = which === 'without' ? [] : ['token', 'wrong-wrong-wrong-wrong'];
    await expect(TestSocket.open(`${closed.ws}${LISTEN}`, protocols)).rejects.toThrow('401');
  });
});

describe('tickets', () => {
  test('open a socket, from an address', async () => {
    const { ticket: text, expires_in } = await ticket({});
    expect(expires_in).toBe(60);
    const socket = await TestSocket.open(`${closed.ws}${LISTEN}&ticket=${text}`);
    socket.socket.close();
    expect(await (await get(`/who?ticket=${text}`)).json()).toEqual({ client: 'studio' });
  });

  test('make no other tickets', async () => {
    const { ticket: text } = await ticket({});
    expect((await ticket({}, text)).status).toBe(401);
  });

  test('to a room are for that room only', async () => {
    const { ticket: text, expires_in } = await ticket({ room: 'main' });
    expect(expires_in).toBe(86_400);
    expect((await get(`/rooms/main/watch?ticket=${text}`)).status).toBe(200);
    expect((await get(`/rooms/other/watch?ticket=${text}`)).status).toBe(401);
    expect((await get(`/who?ticket=${text}`)).status).toBe(401);
    expect((await get('/rooms/main/watch', bearer(OTHER))).status).toBe(200);
    await expect(TestSocket.open(`${closed.ws}${LISTEN}&ticket=${text}`)).rejects.toThrow('401');
  });

  test.each([
    [{ expires_in: 0 }],
    [{ expires_in: 61 }],
    [{ expires_in: 'long' }],
    [{ room: 7 }],
    [{ room: '' }],
  ])('%j is a bad request', async (body) => {
    expect((await ticket(body)).status).toBe(400);
  });

  test('that are changed are none', async () => {
    const { ticket: text } = await ticket({ room: 'main' });
    const [, signature] = text.split('.');
    const body = Buffer.from(
      JSON.stringify({ client: 'x', scope: 'client', expires: Date.now() + 1e6 }),
    ).toString('base64url');
    for (const forged of [`${body}.${signature}`, `${body}.`, body, `${text}.x`, '.', '%00'])
      expect((await get(`/who?ticket=${forged}`)).status).toBe(401);
  });
});

describe('pages of other origins', () => {
  const EVIL = { origin: 'https://evil.example' };

  test.each(['/health', '/v1/models', '/nowhere'])('GET %s: 403', async (path) => {
    for (const server of [open, closed])
      expect((await fetch(`${server.http}${path}`, { headers: { ...EVIL, ...bearer(TOKEN) } })).status).toBe(
        403,
      );
  });

  test('their forms and sockets are refused, although CORS would not protect these', async () => {
    const body = new FormData();
    body.append('model', 'x');
    const answer = await fetch(`${open.http}/v1/audio/transcriptions`, {
      method: 'POST',
      body,
      headers: EVIL,
    });
    expect(answer.status).toBe(403);
    await expect(TestSocket.open(`${open.ws}${LISTEN}`, [], { headers: EVIL })).rejects.toThrow('403');
    await expect(TestSocket.open(`${open.ws}${LISTEN}`, [], { headers: { origin: 'null' } })).rejects.toThrow(
      '403',
    );
  });

  test('a page of our own may', async () => {
    const socket = await TestSocket.open(`${open.ws}${LISTEN}`, [], { headers: { origin: open.http } });
    socket.socket.close();
  });

  test('a foreign name that leads to this machine is not our own', async () => {
    const { port } = new URL(open.http);
    const rebound = { host: `evil.example:${port}`, origin: `http://evil.example:${port}` };
    await expect(TestSocket.open(`${open.ws}${LISTEN}`, [], { headers: rebound })).rejects.toThrow('403');
    expect(await statusOf(`${open.http}/v1/models`, rebound)).toBe(403);
    // With tokens the name is the operator's.
    const named = {
      host: `captions.local:${port}`,
      origin: `http://captions.local:${port}`,
      ...bearer(TOKEN),
    };
    expect(await statusOf(`${closed.http}/v1/models`, named)).toBe(200);
  });

  test('an allowed one may, and is told so; nobody else is', async () => {
    const allowed = { origin: 'https://captions.example', ...bearer(TOKEN) };
    const answer = await get('/v1/models', allowed);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://captions.example');
    const preflight = await fetch(`${closed.http}/v1/audio/transcriptions`, {
      method: 'OPTIONS',
      headers: { origin: 'https://captions.example' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    expect((await get('/health')).headers.has('access-control-allow-origin')).toBe(false);
    expect(
      (await fetch(`${open.http}/health`, { headers: { origin: open.http } })).headers.has(
        'access-control-allow-origin',
      ),
    ).toBe(false);
  });
});

test('answers make browsers careful', async () => {
  const { headers } = await get('/health');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
});

/** By Node's own client, which lets us name any host. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject).end();
  });
}
