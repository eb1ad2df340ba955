import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VoiceOrder, type VoicePacket, type VoicePiece } from '../../src/sources/voice-packets.js';

const FRAME = 960;
/** Packet `n` of a stream that speaks all the time, with counters that are about to wrap. */
const rtp = (n: number, pause = 0): VoicePacket => ({
  bytes: Uint8Array.of(n),
  sequence: (65_530 + n) & 0xffff,
  timestamp: (2 ** 32 - 3000 + n * FRAME + pause) >>> 0,
});
const short = (piece: VoicePiece) =>
  piece.kind === 'packet' ? piece.bytes[0] : `${piece.kind} ${piece.samples}`;

function run(packets: [packet: VoicePacket, now: number][]): (number | string | undefined)[] {
  const order = new VoiceOrder();
  const out = packets.flatMap(([packet, now]) => [...order.push(packet, FRAME, now)]);
  return [...out, ...order.flush()].map(short);
}

describe('packets without a place, by their arrival', () => {
  const bare = (n: number, silent = false): VoicePacket => ({
    bytes: silent ? Uint8Array.of(0xf8, 0xff, 0xfe) : Uint8Array.of(n),
  });

  test('that are missing in the middle of speech are a loss of the time that they would have filled', () => {
    // Packets 3 to 7 never come: once one is more than the network's jitter late, that time was lost.
    const came = [0, 1, 2, 8, 9].map((n): [VoicePacket, number] => [bare(n), (n + 1) * FRAME]);
    expect(run(came)).toEqual([0, 1, 2, `lost ${5 * FRAME}`, 8, 9]);
  });

  test('that come a little late are not', () => {
    const came = [0, 1, 2].map((n): [VoicePacket, number] => [bare(n), (n + 1) * FRAME + n * 48 * 30]);
    expect(run(came)).toEqual([0, 1, 2]);
  });

  test('that are missing after silent packets, or for long, are a pause', () => {
    expect(
      run([
        [bare(0), FRAME],
        [bare(1, true), 2 * FRAME],
        [bare(2), 10 * FRAME],
      ]),
    ).toEqual([0, 248, `silence ${7 * FRAME}`, 2]);
    expect(
      run([
        [bare(0), FRAME],
        [bare(1), 30 * FRAME],
      ]),
    ).toEqual([0, `silence ${28 * FRAME}`, 1]);
  });
});

describe('packets with a place', () => {
  test('a second gap is waited for when the first is given up', () => {
    // 1 is lost; 6 comes late, but before its own wait is over.
    expect(run([0, 2, 3, 4, 7, 6, 5, 8].map((n) => [rtp(n), 1000]))).toEqual([
      0,
      'lost 960',
      2,
      3,
      4,
      5,
      6,
      7,
      8,
    ]);
  });

  test('in order are laid side by side, over the wrap of both counters', () => {
    const packets = Array.from({ length: 12 }, (_, n): [VoicePacket, number] => [rtp(n), (n + 1) * FRAME]);
    expect(run(packets)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test('that come in another order are put back; one that comes too late is left out', () => {
    expect(run([0, 2, 1, 3, 6, 5, 4, 7, 5].map((n) => [rtp(n), 1000]))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('that are lost leave their length, once enough others have come', () => {
    expect(run([0, 1, 4, 5, 6, 7].map((n) => [rtp(n), 1000]))).toEqual([0, 1, 'lost 1920', 4, 5, 6, 7]);
  });

  test('a pause is silence, and a loss beside it is told apart', () => {
    expect(
      run([
        [rtp(0), 960],
        [rtp(1, 48_000), 60_000],
      ]),
    ).toEqual([0, 'silence 48000', 1]);
    const order = new VoiceOrder();
    const out = [
      ...order.push(rtp(0), FRAME, 960),
      ...order.push(rtp(2, 48_000), FRAME, 60_000),
      ...order.flush(),
    ];
    expect(out.map(short)).toEqual([0, 'silence 48000', 'lost 960', 2]);
  });

  test('silence that the clock has laid already is not laid again', () => {
    const order = new VoiceOrder();
    const out = [
      ...order.push(rtp(0), FRAME, FRAME),
      ...order.idle(20_960),
      ...order.idle(40_960),
      ...order.push(rtp(1, 48_000), FRAME, 50_000),
    ];
    expect(out.map(short)).toEqual([0, 'silence 20000', 'silence 20000', 'silence 8000', 1]);
  });
});

describe('packets without a place', () => {
  const bare = (n: number): VoicePacket => ({ bytes: Uint8Array.of(n) });

  test('follow each other unless they come far too late for that', () => {
    const order = new VoiceOrder();
    const at = [1000, 1960, 4500, 4600, 100_000];
    const out = at.flatMap((now, n) => [...order.push(bare(n), FRAME, now)]);
    expect(out.map(short)).toEqual([0, 1, 2, 3, `silence ${100_000 - FRAME - 4 * FRAME}`, 4]);
    expect(order.at).toBe(100_000);
  });

  test('a late joiner begins late', () => {
    const order = new VoiceOrder();
    expect([...order.push(bare(0), FRAME, 480_000)].map(short)).toEqual(['silence 479040', 0]);
  });
});

test('whatever comes, time only goes on and every packet is laid once at most', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.nat(300_000)), { maxLength: 60 }),
      (arrivals) => {
        const order = new VoiceOrder();
        let now = 0;
        let at = 0;
        const seen = new Map<number, number>();
        for (const [n, wait] of arrivals) {
          now += wait;
          for (const piece of order.push(rtp(n), FRAME, now)) {
            if (piece.kind === 'packet')
              seen.set(piece.bytes[0] as number, (seen.get(piece.bytes[0] as number) ?? 0) + 1);
            else expect(piece.samples).toBeGreaterThan(0);
          }
          expect(order.at).toBeGreaterThanOrEqual(at);
          at = order.at;
          expect(order.held).toBeLessThan(4);
        }
        for (const count of seen.values()) expect(count).toBe(1);
      },
    ),
    // One that is sent again and again while it waits for those before it.
    { examples: [[[[0, 0], ...Array.from({ length: 3 }, (): [number, number] => [184, 0]), [2, 0]]]] },
  );
});
