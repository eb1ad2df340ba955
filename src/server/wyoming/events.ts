/**
 * The events of the Wyoming protocol on the wire: a line of JSON, then as many bytes of more JSON and of payload as it says. What they mean is
 * connection.ts's concern.
 */
import { protocolError, readMessage } from '../sockets/messages.js';

/** An event; of `data` nothing is known yet. */
export interface WyomingEvent {
  type: string;
  data: Readonly<Record<string, unknown>>;
  payload: Buffer;
}

/** Most bytes of a line, of further data, and of a payload. */
const MOST_LINE = 64 * 1024;
const MOST_DATA = 1024 * 1024;
const MOST_PAYLOAD = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** An event as bytes. */
export function encodeEvent(type: string, data: object = {}): Buffer {
  const body = Buffer.from(JSON.stringify(data));
  const head = { type, version: '1.5.0', data_length: body.length };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

/** Cuts bytes, however they are split, into events. */
export class EventParser {
  #bytes: Buffer = Buffer.alloc(0);

  /** The events that are complete now. @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` */
  *push(bytes: Buffer): Generator<WyomingEvent> {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      const event = this.#next();
      if (!event) return;
      yield event;
    }
  }

  #next(): WyomingEvent | undefined {
    const end = this.#bytes.indexOf(NEWLINE);
    if (end < 0 ? this.#bytes.length > MOST_LINE : end > MOST_LINE)
      throw protocolError(`Expected a line of at most ${MOST_LINE} bytes`);
    if (end < 0) return undefined;
    const head = readMessage(this.#bytes.subarray(0, end));
    const dataLength = lengthOf(head.data_length, 'data_length', MOST_DATA);
    const payloadLength = lengthOf(head.payload_length, 'payload_length', MOST_PAYLOAD);
    const from = end + 1;
    if (this.#bytes.length < from + dataLength + payloadLength) return undefined;
    const more = this.#bytes.subarray(from, from + dataLength);
    const payload = this.#bytes.subarray(from + dataLength, from + dataLength + payloadLength);
    this.#bytes = this.#bytes.subarray(from + dataLength + payloadLength);
    if (typeof head.type !== 'string') throw protocolError('Expected a type in each event');
    const data = { ...(head.data as object | undefined), ...(dataLength > 0 && readMessage(more)) };
    return { type: head.type, data, payload };
  }
}

function lengthOf(value: unknown, name: string, most: number): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw protocolError(`Expected a whole number up to ${most} for ${name}`);
}
