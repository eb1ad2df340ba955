/**
 * Being let in: servers with tokens want a ticket for each connection, which is made from the token that the user has typed. The token
 * stays in this tab.
 */

const KEY = 'parakeet.token';

/** The server wants a token, or another one. */
export class TokenNeeded extends Error {}

/** Sets the token for this tab. */
export function setToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

/** A ticket to connect, or to watch a room. @throws {@link TokenNeeded} */
export async function ticketFor(room?: string): Promise<string> {
  const token = sessionStorage.getItem(KEY);
  const answer = await fetch('/v1/tickets', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(room === undefined ? {} : { room }),
  });
  if (answer.status === 401) throw new TokenNeeded('The server wants a token.');
  if (!answer.ok) throw new Error(`The server answered with ${answer.status}.`);
  return ((await answer.json()) as { ticket: string }).ticket;
}

/** Whether the server asks for tokens. */
export async function isGuarded(): Promise<boolean> {
  if (sessionStorage.getItem(KEY) !== null) return true;
  try {
    await ticketFor();
    return false;
  } catch (error) {
    if (error instanceof TokenNeeded) return true;
    throw error;
  }
}

/** A socket for captions. The ticket is in the subprotocol, which no log has. */
export async function captionSocket(): Promise<WebSocket> {
  const address = new URL('/v1/captions', location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(address, ['bearer', await ticketFor()]);
}
