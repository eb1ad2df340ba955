/**
 * Tickets: short-lived permissions that may stand in an address, where a token must not: for a browser's WebSocket, or to watch a room. They
 * are signed, not stored, with a key that ends with the process.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a ticket permits. */
export interface Ticket {
  /** The client that it was given to. */
  client: string;
  /** `'client'`: what a token permits. `'room:NAME'`: to watch that room. */
  scope: 'client' | `room:${string}`;
  /** Milliseconds of the clock when it ends. */
  expires: number;
}

export class Tickets {
  readonly #key = randomBytes(32);

  /** A ticket that is valid for so many seconds. */
  issue(client: string, scope: Ticket['scope'], seconds: number, now = Date.now()): string {
    const ticket: Ticket = { client, scope, expires: now + seconds * 1000 };
    const body = Buffer.from(JSON.stringify(ticket)).toString('base64url');
    return `${body}.${this.#sign(body).toString('base64url')}`;
  }

  /** What the ticket permits; undefined if it is not one of ours, or has expired. */
  read(text: string, now = Date.now()): Ticket | undefined {
    const [body = '', signature = '', ...more] = text.split('.');
    const given = Buffer.from(signature, 'base64url');
    const right = this.#sign(body);
    if (more.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
    const ticket = JSON.parse(Buffer.from(body, 'base64url').toString()) as Ticket;
    return ticket.expires > now ? ticket : undefined;
  }

  #sign(body: string): Buffer {
    return createHmac('sha256', this.#key).update(body).digest();
  }
}
