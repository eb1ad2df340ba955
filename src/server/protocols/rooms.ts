/**
 * Rooms over HTTP: `/rooms/:room/events` (server-sent events), `.vtt`, `.srt`, `.txt` and `.json` (the transcript so far), and an HLS playlist of subtitles.
 * The pages are in page.ts.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServerError } from '../../index.js';
import type { Protocol } from '../context.js';
import { MPEG_CLOCK } from '../rooms/hls.js';
import { type TranscriptFormat, transcriptFormats } from '../rooms/transcript.js';
import { ViewerStream } from '../rooms/viewer-stream.js';
import { checkRoom } from '../rooms.js';

/** Most bytes that may wait for a slow viewer. */
const MOST_WAITING = 1024 * 1024;
/** Time stamp at which packagers begin a video: 10 s. */
const DEFAULT_MPEGTS = 10 * MPEG_CLOCK;
/** MPEG time stamps have 33 bits. */
const MOST_MPEGTS = 2 ** 33 - 1;

const TYPES: Record<TranscriptFormat, string> = {
  vtt: 'text/vtt; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  json: 'application/json; charset=utf-8',
};

type Named = { Params: { room: string }; Querystring: { mpegts?: string; ticket?: string } };

export const rooms: Protocol = (app, { metrics, rooms: list }) => {
  const config = { access: 'room' } as const;
  const found = (request: FastifyRequest<Named>) => {
    const name = checkRoom(request.params.room);
    const room = list.find(name);
    if (!room) throw missing(`Expected a room in which something was published but received ${name}`);
    return room;
  };

  app.get<Named>('/rooms/:room/events', { config }, async (request, reply) => {
    const stream = new ViewerStream(MOST_WAITING, () => metrics.draftDropped());
    const leave = list.open(checkRoom(request.params.room)).watch(stream, lastEventId(request));
    stream.follow();
    stream.once('close', leave);
    request.raw.once('close', () => stream.destroy());
    // Proxies must not collect events.
    reply.headers({ 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    return reply.send(stream);
  });

  for (const format of transcriptFormats)
    app.get<Named>(`/rooms/:room(^[\\w-]+).${format}`, { config }, async (request, reply) =>
      reply.type(TYPES[format]).send(found(request).transcript.read(format)),
    );

  app.get<Named>('/rooms/:room/live.m3u8', { config }, async (request, reply) => {
    const { transcript, live } = found(request);
    return reply
      .type('application/vnd.apple.mpegurl')
      .send(transcript.playlist(live, segmentQuery(request.query)));
  });

  app.get<Named & { Params: { number: string } }>(
    '/rooms/:room/live/:number(^\\d{1,9}).vtt',
    { config },
    async (request, reply: FastifyReply) => {
      const number = Number(request.params.number);
      return reply.type(TYPES.vtt).send(found(request).transcript.segment(number, mpegts(request.query)));
    },
  );
};

/** Browsers send the header when they come back; a query serves those who cannot set headers. */
function lastEventId({ headers, query }: FastifyRequest): string | undefined {
  const header = headers['last-event-id'];
  return typeof header === 'string' ? header : (query as { last_event_id?: string }).last_event_id;
}

/** What a segment's address needs of the playlist's. */
function segmentQuery(query: Named['Querystring']): string {
  const kept = new URLSearchParams();
  if (query.mpegts !== undefined) kept.set('mpegts', String(mpegts(query)));
  if (query.ticket !== undefined) kept.set('ticket', query.ticket);
  return kept.size === 0 ? '' : `?${kept}`;
}

function mpegts({ mpegts = String(DEFAULT_MPEGTS) }: Named['Querystring']): number {
  if (/^\d{1,10}$/.test(mpegts) && Number(mpegts) <= MOST_MPEGTS) return Number(mpegts);
  throw new ServerError('ERR_PARAKEET_SERVER_PROTOCOL', `Expected 0 to ${MOST_MPEGTS} for mpegts`);
}

function missing(message: string): ServerError {
  return Object.assign(new ServerError('ERR_PARAKEET_SERVER_PROTOCOL', message), { statusCode: 404 });
}
