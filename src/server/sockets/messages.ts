/** Reading a client's text messages: JSON objects, whose fields are checked by the protocols. */
import { ServerError } from '../../index.js';

/** A message as it came; nothing of it is known yet. */
export type Message = Readonly<Record<string, unknown>>;

/** @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` for anything but a JSON object. */
export function readMessage(data: Buffer): Message {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    throw protocolError('Expected a message in JSON but it does not parse');
  }
  return asObject(value, 'the message');
}

/** @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` for anything but an object. */
export function asObject(value: unknown, what: string): Message {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Message;
  const type = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
  throw protocolError(`Expected an object for ${what} but received ${type}`);
}

/** The bytes of base64 text. @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` for any other text, or none. */
export function fromBase64(value: unknown, what: string): Buffer {
  if (typeof value !== 'string')
    throw protocolError(`Expected base64 for ${what} but received ${typeof value}`);
  // Node skips characters that are none of base64's: sound would be shifted silently.
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
    throw protocolError(`Expected base64 for ${what} but received other text`);
  return Buffer.from(value, 'base64');
}

/** A request that is not what the protocol says. */
export function protocolError(message: string): ServerError {
  return new ServerError('ERR_PARAKEET_SERVER_PROTOCOL', message);
}
