/** Rooms: one clock for all who publish, nothing final lost for those who watch. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Sentence, Token, TranscriptEvent } from '../../../src/index.js';
import { Room, type RoomViewer } from '../../../src/server/rooms/room.js';
import type { RoomEvent } from '../../../src/server/rooms/room-events.js';
import { RoomList } from '../../../src/server/rooms/room-list.js';

const source = { client: 'anonymous', protocol: 'test', offset: 0 };

function tokenAt(text: string, start: number): Token {
  return { id: 1, text, start, end: start + 0.3, duration: 0.3, confidence: 0.9 };
}

/** The events of a sentence of one word a second. */
function spoken(text: string, start: number): TranscriptEvent[] {
  const tokens = text.split(' ').map((word, i) => tokenAt(` ${word}`, start + i));
  const words = tokens.map((token) => ({ ...token, text: token.text.trim() }));
  const end = (tokens.at(-1) as Token).end;
  const sentence: Sentence = { text, start, end, duration: end - start, confidence: 0.9, tokens, words };
  return [
    ...tokens.map((token): TranscriptEvent => ({ type: 'token', token })),
    { type: 'sentence', sentence },
    { type: 'progress', time: end },
  ];
}

class Viewer implements RoomViewer {
  readonly events: { event: RoomEvent; id: string | undefined }[] = [];
  ended = false;
  show(event: RoomEvent, id?: string): void {
    this.events.push({ event, id });
  }
  end(): void {
    this.ended = true;
  }
  of<T extends RoomEvent['type']>(type: T) {
    return this.events.flatMap(({ event }) => (event.type === type ? [event] : [])) as Extract<
      RoomEvent,
      { type: T }
    >[];
  }
  get texts(): string[] {
    return this.of('sentence').map(({ data }) => data.text);
  }
}

let now = 0;
const clock = () => now;
const rooms: Room[] = [];
function open(): Room {
  now = 1_000_000;
  const room = new Room(clock);
  rooms.push(room);
  return room;
}
afterEach(() => rooms.splice(0).forEach((room) => void room.close()));

/** What the writers have written, when they have had their turns. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('a viewer', () => {
  test('sees the state, drafts and sentences', () => {
    const room = open();
    const viewer = new Viewer();
    room.watch(viewer);
    const publisher = room.join(source);
    publisher.publish({ type: 'token', token: tokenAt(' Good', 0) });
    publisher.publish({ type: 'draft', tokens: [tokenAt(' day', 1)], text: 'day', revision: 1 });
    for (const event of spoken('Good day.', 0)) publisher.publish(event);
    publisher.leave();
    expect(viewer.of('state').map(({ data }) => data.live)).toEqual([false, true, false]);
    expect(viewer.of('draft')[0]?.data).toEqual({ final: ' Good', tentative: ' day' });
    expect(viewer.texts).toEqual(['Good day.']);
  });

  test('that comes back gets the sentences that it has not seen, once', () => {
    const room = open();
    const publisher = room.join(source);
    const first = new Viewer();
    const leave = room.watch(first);
    for (const event of spoken('One.', 0)) publisher.publish(event);
    leave();
    for (const text of ['Two.', 'Three.']) for (const event of spoken(text, 2)) publisher.publish(event);
    const back = new Viewer();
    room.watch(back, first.events.findLast(({ id }) => id !== undefined)?.id);
    for (const event of spoken('Four.', 8)) publisher.publish(event);
    expect([...first.texts, ...back.texts]).toEqual(['One.', 'Two.', 'Three.', 'Four.']);
  });

  test('that comes late gets the open sentence', () => {
    const room = open();
    const publisher = room.join(source);
    publisher.publish({ type: 'token', token: tokenAt(' Good', 0) });
    const late = new Viewer();
    room.watch(late);
    expect(late.of('draft')[0]?.data.final).toBe(' Good');
  });

  test('loses the draft of who has left', () => {
    const room = open();
    const viewer = new Viewer();
    room.watch(viewer);
    const publisher = room.join(source);
    publisher.publish({ type: 'draft', tokens: [tokenAt(' Go', 1)], text: 'Go', revision: 1 });
    publisher.leave();
    expect(viewer.of('draft').at(-1)?.data).toEqual({ final: '', tentative: '' });
  });
});

describe('the clock', () => {
  test('goes on for the next who publishes', () => {
    const room = open();
    const viewer = new Viewer();
    room.watch(viewer);
    const first = room.join(source);
    for (const event of spoken('One.', 1)) first.publish(event);
    first.leave();
    now += 60_000;
    const second = room.join(source);
    for (const event of spoken('Two.', 1)) second.publish(event);
    expect(viewer.of('sentence').map(({ data }) => data.start)).toEqual([1, 61]);
  });

  test('never goes back behind a recording that came faster than it was spoken', () => {
    const room = open();
    const viewer = new Viewer();
    room.watch(viewer);
    const first = room.join(source);
    for (const event of spoken('One.', 500)) first.publish(event);
    first.leave();
    const second = room.join(source);
    for (const event of spoken('Two.', 0)) second.publish(event);
    expect(viewer.of('sentence')[1]?.data.start).toBeCloseTo(500.3, 3);
  });

  test('is left alone by a transcript that has its times', () => {
    const room = open();
    const viewer = new Viewer();
    room.watch(viewer);
    room.join(source).leave();
    now += 60_000;
    const later = room.join({ ...source, offset: 42 });
    for (const event of spoken('Later.', 43)) later.publish(event);
    expect(viewer.of('sentence')[0]?.data.start).toBe(43);
  });

  test('is shared by two who speak at once, the second of whom has a name', async () => {
    const room = open();
    const [one, two] = [room.join(source), room.join(source)];
    for (const event of spoken('I say this.', 0)) one.publish(event);
    for (const event of spoken('And I say that.', 1)) two.publish(event);
    one.leave();
    two.leave();
    await settled();
    expect(room.transcript.read('txt')).toBe('I say this.\nSpeaker 2: And I say that.\n');
    expect(room.transcript.read('vtt')).toContain('<v Speaker 2>And I say that.');
  });
});

describe('the transcript', () => {
  test('is valid at any moment, and complete when nobody speaks', async () => {
    const room = open();
    const publisher = room.join(source);
    expect(room.transcript.read('vtt')).toBe('WEBVTT\n');
    expect(room.transcript.read('srt')).toBe('');
    for (const event of spoken('One two three.', 1)) publisher.publish(event);
    await settled();
    expect(room.transcript.read('vtt')).toMatch(/^WEBVTT\n/);
    publisher.leave();
    await settled();
    expect(room.transcript.read('vtt')).toBe('WEBVTT\n\n00:00:01.000 --> 00:00:03.300\nOne two three.\n');
    expect(room.transcript.read('srt')).toBe('1\n00:00:01,000 --> 00:00:03,300\nOne two three.\n');
    expect(room.transcript.read('txt')).toBe('One two three.\n');
    const json = JSON.parse(room.transcript.read('json'));
    expect(json).toMatchObject({ text: 'One two three.', sentences: [{ start: 1, end: 3.3 }] });
    expect(json.sentences[0].words).toHaveLength(3);
  });

  test('goes on with the next who publishes', async () => {
    const room = open();
    for (const text of ['One.', 'Two.']) {
      const publisher = room.join(source);
      for (const event of spoken(text, 1)) publisher.publish(event);
      publisher.leave();
      now += 10_000;
    }
    await settled();
    expect(room.transcript.read('srt')).toMatch(
      /^1\n00:00:01,000 .*\nOne\.\n\n2\n00:00:11,000 .*\nTwo\.\n$/s,
    );
  });

  test('waits for the speaker who is the furthest behind', async () => {
    const room = open();
    const [one, two] = [room.join(source), room.join(source)];
    for (const event of spoken('One two.', 1)) one.publish(event);
    one.publish({ type: 'progress', time: 60 });
    two.publish({ type: 'progress', time: 2 });
    await settled();
    expect(room.transcript.playlist(true, '')).not.toContain('.vtt');
    two.publish({ type: 'progress', time: 60 });
    await settled();
    expect(room.transcript.playlist(true, '')).toContain('live/7.vtt');
    one.leave();
    two.leave();
  });

  test('is in the HLS playlist once no cue of a segment can change', async () => {
    const room = open();
    const publisher = room.join(source);
    for (const event of spoken('One two.', 1)) publisher.publish(event);
    publisher.publish({ type: 'progress', time: 12 });
    await settled();
    expect(room.transcript.playlist(true, '')).not.toContain('live/0.vtt');
    publisher.publish({ type: 'progress', time: 14 });
    await settled();
    expect(room.transcript.playlist(true, '')).toContain('live/0.vtt');
    expect(room.transcript.segment(0, 900_000)).toContain('One two.');
    // An open sentence may still become a cue.
    publisher.publish({ type: 'token', token: tokenAt(' Three', 14.5) });
    publisher.publish({ type: 'progress', time: 40 });
    expect(room.transcript.playlist(true, '').match(/#EXTINF/g)).toHaveLength(1);
    publisher.leave();
    await settled();
    expect(room.transcript.playlist(false, '')).toMatch(/#EXT-X-ENDLIST/);
  });
});

describe('the list', () => {
  test('forgets rooms: at once without a word, else after an hour', async () => {
    now = 0;
    const list = new RoomList(clock);
    const leave = list.open('watched').watch(new Viewer());
    list.join('used', source).leave();
    list.tidy();
    expect(list.find('used')).toBeDefined();
    now += 1000;
    leave();
    now += 1000;
    list.tidy();
    now += 3_600_000;
    list.tidy();
    expect(list.find('used')).toBeUndefined();
    await list.close();
  });

  test('keeps a room in which somebody publishes', async () => {
    now = 0;
    const list = new RoomList(clock);
    const publisher = list.join('long', source);
    now += 10 * 3_600_000;
    list.tidy();
    expect(list.find('long')).toBeDefined();
    publisher.leave();
    await list.close();
  });

  test('refuses more rooms than it can keep', async () => {
    const list = new RoomList(clock, 2);
    const publishers = ['a', 'b'].map((name) => list.join(name, source));
    expect(() => list.join('c', source)).toThrow(
      expect.objectContaining({ code: 'ERR_PARAKEET_SERVER_BUSY', retryAfter: 60 }),
    );
    for (const publisher of publishers) publisher.leave();
    await list.close();
  });

  test('closes rooms when the last words are there', async () => {
    const list = new RoomList(clock);
    const viewer = new Viewer();
    list.open('late').watch(viewer);
    const publisher = list.join('late', source);
    const closed = list.close();
    for (const event of spoken('Last.', 0)) publisher.publish(event);
    expect(viewer.ended).toBe(false);
    publisher.leave();
    await closed;
    expect(viewer).toMatchObject({ ended: true, texts: ['Last.'] });
  });
});
