/**
 * A room's cues as HTTP Live Streaming's subtitles (RFC 8216): a playlist, and segments of WebVTT whose times `X-TIMESTAMP-MAP` ties to the
 * clock of the video. Pure functions.
 */

/** Seconds of a segment. */
export const SEGMENT_SECONDS = 6;
/** Most segments in a playlist: an hour. */
const MOST_SEGMENTS = 600;
/** The clock of MPEG transport streams, in hertz. */
export const MPEG_CLOCK = 90_000;

/** A record of a WebVTT file. */
export interface VttCue {
  /** Seconds. */
  start: number;
  end: number;
  /** As it stands in the file. */
  record: string;
}

/** What a playlist is made of. */
export interface PlaylistState {
  /** Seconds up to which all cues are there. */
  until: number;
  /** Milliseconds of the clock at the room's second 0. */
  began: number;
  /** Nothing more will come. */
  ended: boolean;
  /** A query for each segment's address, with its `?`, or nothing. */
  query: string;
}

/** `live.m3u8`. Segments are `live/N.vtt`, relative to it. */
export function playlist({ until, began, ended, query }: PlaylistState): string {
  const whole = Math.floor(until / SEGMENT_SECONDS);
  const rest = ended ? until - whole * SEGMENT_SECONDS : 0;
  const count = rest > 0.001 ? whole + 1 : whole;
  const first = Math.max(0, count - MOST_SEGMENTS);
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${SEGMENT_SECONDS}`,
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
  ];
  for (let n = first; n < count; n++) {
    if (n === first)
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(began + n * SEGMENT_SECONDS * 1000).toISOString()}`);
    lines.push(`#EXTINF:${(n < whole ? SEGMENT_SECONDS : rest).toFixed(3)},`, `live/${n}.vtt${query}`);
  }
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/**
 * Segment `n`: every cue that is shown in its time, so a cue at the border is in both.
 *
 * @param mpegts The time stamp of the video at the room's second 0, in ticks of {@link MPEG_CLOCK}.
 */
export function segment(n: number, cues: readonly VttCue[], mpegts: number): string {
  const [start, end] = [n * SEGMENT_SECONDS, (n + 1) * SEGMENT_SECONDS];
  const shown = cues.filter((cue) => cue.start < end && cue.end > start);
  const map = `X-TIMESTAMP-MAP=MPEGTS:${mpegts},LOCAL:00:00:00.000`;
  return `WEBVTT\n${map}\n${shown.map(({ record }) => record).join('')}`;
}

/** The cues of records of a WebVTT file. */
export function cuesOf(records: readonly string[]): VttCue[] {
  return records.flatMap((record) => {
    const [, start, end] = /([\d:.]+) --> ([\d:.]+)/.exec(record) ?? [];
    return start === undefined || end === undefined
      ? []
      : [{ start: secondsOf(start), end: secondsOf(end), record }];
  });
}

const secondsOf = (time: string): number =>
  time.split(':').reduce((total, part) => 60 * total + Number(part), 0);
