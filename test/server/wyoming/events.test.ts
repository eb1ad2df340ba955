/** Wyoming's events on the wire: any split of the bytes gives the same events, and what is no event is refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventParser, encodeEvent } from '../../../src/server/wyoming/events.js';
import { languagesOf } from '../../../src/server/wyoming/info.js';

const parse = (...pieces: Buffer[]) => {
  const parser = new EventParser();
  return pieces.flatMap((piece) => [...parser.push(piece)]);
};
const withPayload = (type: string, payload: Buffer) =>
  Buffer.concat([Buffer.from(`${JSON.stringify({ type, payload_length: payload.length })}\n`), payload]);

test('any split gives the same events', () => {
  const event = fc.oneof(
    fc.record({ text: fc.string() }).map((data) => encodeEvent('transcript', data)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => withPayload('audio-chunk', Buffer.from(bytes))),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 5 }), fc.array(fc.nat(300)), (events, cuts) => {
      const whole = Buffer.concat(events);
      const at = [0, ...cuts.filter((cut) => cut < whole.length).sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, i) => whole.subarray(at[i], end));
      expect(parse(...pieces)).toEqual(parse(whole));
      expect(parse(whole)).toHaveLength(events.length);
    }),
  );
});

test('data of the line and behind it are one', () => {
  const more = Buffer.from('{"b":2}');
  const [event] = parse(
    Buffer.concat([Buffer.from(`{"type":"x","data":{"a":1,"b":1},"data_length":${more.length}}\n`), more]),
  );
  expect(event?.data).toEqual({ a: 1, b: 2 });
});

test.each([
  ['no JSON', 'GET / HTTP/1.1\n'],
  ['no object', '[1]\n'],
  ['no type', '{}\n'],
  ['a payload beyond reason', '{"type":"x","payload_length":1e12}\n'],
  ['a negative length', '{"type":"x","data_length":-1}\n'],
  ['half a byte', '{"type":"x","data_length":0.5}\n'],
  ['a line without an end', 'x'.repeat(70_000)],
  ['a line beyond reason', `{"type":"${'x'.repeat(70_000)}"}\n`],
])('%s is refused', (_, text) => {
  expect(() => parse(Buffer.from(text))).toThrow(
    expect.objectContaining({ code: 'ERR_PARAKEET_SERVER_PROTOCOL' }),
  );
});

test('a vocabulary with Cyrillic letters is that of the multilingual model', () => {
  expect(languagesOf(['▁the', 'ing'])).toEqual(['en']);
  expect(languagesOf(['▁the', '▁жи'])).toContain('uk');
});
