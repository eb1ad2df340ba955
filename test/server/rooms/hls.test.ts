/** HLS subtitles: what a player reads is complete, in order, and never changes. */
import { expect, test } from 'vitest';
import { cuesOf, playlist, SEGMENT_SECONDS, segment } from '../../../src/server/rooms/hls.js';

const began = Date.UTC(2026, 10, 29, 20);
const state = { began, ended: false, query: '' };
const record = (start: string, end: string, text: string) => `\n${start} --> ${end}\n${text}\n`;

test('the playlist of a live room has the segments that are complete', () => {
  expect(playlist({ ...state, until: 13 })).toBe(
    [
      '#EXTM3U',
      '#EXT-X-VERSION:3',
      '#EXT-X-TARGETDURATION:6',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-PROGRAM-DATE-TIME:2026-11-29T20:00:00.000Z',
      '#EXTINF:6.000,',
      'live/0.vtt',
      '#EXTINF:6.000,',
      'live/1.vtt',
      '',
    ].join('\n'),
  );
});

test('an ended one has the rest too, and says that nothing follows', () => {
  const text = playlist({ ...state, until: 13.5, ended: true, query: '?mpegts=0' });
  expect(text).toMatch(/#EXTINF:1\.500,\nlive\/2\.vtt\?mpegts=0\n#EXT-X-ENDLIST\n$/);
});

test('a room without a word has no segments', () => {
  expect(playlist({ ...state, until: 0 })).not.toContain('.vtt');
});

test('a long one begins later, at its place on the clock', () => {
  const text = playlist({ ...state, until: 2 * 3600 });
  expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:600');
  expect(text).toContain('#EXT-X-PROGRAM-DATE-TIME:2026-11-29T21:00:00.000Z');
  expect(text.match(/#EXTINF/g)).toHaveLength(600);
});

test('segments have every cue that is shown in their time', () => {
  const cues = cuesOf([
    record('00:00:01.000', '00:00:04.000', 'one'),
    record('00:00:05.000', '00:00:07.500', 'two'),
    record('01:00:00.000', '01:00:01.000', 'late'),
  ]);
  expect(cues.map(({ start, end }) => [start, end])).toEqual([
    [1, 4],
    [5, 7.5],
    [3600, 3601],
  ]);
  const head = 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n';
  const [one, two] = cues.map((cue) => cue.record) as [string, string];
  expect(segment(0, cues, 900_000)).toBe(head + one + two);
  expect(segment(1, cues, 900_000)).toBe(head + two);
  expect(segment(2, cues, 900_000)).toBe(head);
  expect(segment(3600 / SEGMENT_SECONDS, cues, 0)).toContain('late');
});
