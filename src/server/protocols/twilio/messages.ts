/** Reading the messages of Twilio's Media Streams. */

import type { PcmEncoding } from '../../../index.js';
import { integer } from '../../../options.js';
import { encodingOf } from '../../encodings.js';
import { asObject, fromBase64, type Message, protocolError } from '../../sockets/messages.js';

/** The tracks of a call. */
const TRACKS = ['inbound', 'outbound'] as const;
export type Track = (typeof TRACKS)[number];

/** What a stream is. */
export interface StreamStart {
  call: string;
  tracks: Track[];
  encoding: PcmEncoding;
  sampleRate: number;
  /** What the call's own markup has set. */
  parameters: Message;
}

/** A piece of a track. */
export interface Media {
  track: Track;
  /** Milliseconds since the stream began. */
  timestamp: number;
  sound: Buffer;
}

/** @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` */
export function readStart(message: Message): StreamStart {
  const { callSid, tracks, mediaFormat, customParameters } = asObject(message.start, 'start');
  const { encoding, sampleRate } = asObject(mediaFormat, 'start.mediaFormat');
  const known = typeof encoding === 'string' ? encodingOf(encoding) : undefined;
  if (known === undefined) throw protocolError('Expected audio/x-mulaw for start.mediaFormat.encoding');
  if (typeof callSid !== 'string') throw protocolError('Expected a text for start.callSid');
  if (!Array.isArray(tracks) || tracks.length === 0 || tracks.length > TRACKS.length)
    throw protocolError('Expected one or two tracks for start.tracks');
  return {
    call: callSid,
    tracks: [...new Set(tracks.map(trackOf))],
    encoding: known,
    sampleRate: integer('start.mediaFormat.sampleRate', sampleRate, 8000, 48_000),
    parameters: asObject(customParameters ?? {}, 'start.customParameters'),
  };
}

/** @throws {@link ServerError} `ERR_PARAKEET_SERVER_PROTOCOL` */
export function readMedia(message: Message): Media {
  const { track, timestamp, payload } = asObject(message.media, 'media');
  const milliseconds = Number(timestamp);
  if (!Number.isFinite(milliseconds) || milliseconds < 0)
    throw protocolError('Expected milliseconds for media.timestamp');
  return { track: trackOf(track), timestamp: milliseconds, sound: fromBase64(payload, 'media.payload') };
}

function trackOf(value: unknown): Track {
  const track = TRACKS.find((name) => name === value);
  if (track === undefined) throw protocolError('Expected inbound or outbound for a track');
  return track;
}
