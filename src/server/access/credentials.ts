/** What a request shows to be let in, in the forms that the clients of all protocols use. */
import type { IncomingMessage } from 'node:http';

/** Names before a secret in a list of subprotocols: Deepgram's, and ours. */
const PAIRS = ['token', 'bearer'];
/** OpenAI's clients put the secret behind this. */
const OPENAI = 'openai-insecure-api-key.';

/** A secret, and whether it may only be a ticket: addresses end up in logs. */
export interface Credential {
  secret: string;
  ticketOnly: boolean;
}

/** `Authorization: Bearer …` or `Token …`, a subprotocol of a WebSocket, or `?ticket=…`; the first of them counts. */
export function credentialOf(request: IncomingMessage): Credential | undefined {
  const [, scheme = '', secret] = /^(\w+) +(\S+)$/.exec(request.headers.authorization ?? '') ?? [];
  if (secret !== undefined && /^(bearer|token)$/i.test(scheme)) return { secret, ticketOnly: false };
  const offered = subprotocols(request);
  const at = offered.findIndex((name) => PAIRS.includes(name.toLowerCase()));
  const paired = at < 0 ? undefined : offered[at + 1];
  const found = paired ?? offered.find((name) => name.startsWith(OPENAI))?.slice(OPENAI.length);
  if (found !== undefined) return { secret: found, ticketOnly: false };
  const ticket = new URLSearchParams(request.url?.split('?')[1] ?? '').get('ticket');
  return ticket === null ? undefined : { secret: ticket, ticketOnly: true };
}

/** The subprotocol that the server agrees to: the first that is no secret. */
export function agreedSubprotocol(offered: ReadonlySet<string>): string | false {
  const [first] = offered;
  return first === undefined || first.startsWith(OPENAI) ? false : first;
}

function subprotocols({ headers }: IncomingMessage): string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}
