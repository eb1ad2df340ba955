/**
 * Puts the packets of one speaker in order and on the clock (RFC 3550): what was lost, what was silence, what came late. It knows nothing
 * of Opus or Discord; times are samples at 48 kHz.
 */

/** An Opus packet, with its position if the network provides it. */
export interface VoicePacket {
  bytes: Uint8Array;
  /** RTP's sequence number, 16 bits. */
  sequence?: number | undefined;
  /** RTP's timestamp, 32 bits, in samples at 48 kHz. */
  timestamp?: number | undefined;
}

/** What comes next in a speaker's sound. */
export type VoicePiece =
  | { kind: 'packet'; bytes: Uint8Array }
  /** Nothing was sent: `samples` of silence. */
  | { kind: 'silence'; samples: number }
  /** Something was sent and lost. */
  | { kind: 'lost'; samples: number };

/** How many later packets are held while waiting for a missing one. */
const MOST_HELD = 4;
/** Samples by which a packet may be off the clock and still follow the previous one: the jitter of the network. */
const JITTER = 48 * 80;
/** Without a position: a longer gap than this, in samples, counts as silence. Discord's clients end speech with silent packets. */
const LONGEST_GUESSED_LOSS = 48 * 400;
/** The silent packet with which Discord's clients end speech, sent five times. */
const SILENT_PACKET = [0xf8, 0xff, 0xfe];
/** A jump of more samples than this is another clock, not a pause. */
const LONGEST_PAUSE = 48_000 * 3600;

/** Signed distance of counters that wrap at `bits` bits. */
function distance(from: number, to: number, bits: 16 | 32): number {
  const range = 2 ** bits;
  const ahead = (((to - from) % range) + range) % range;
  return ahead < range / 2 ? ahead : ahead - range;
}

interface Held {
  packet: VoicePacket;
  length: number;
}

interface Placed {
  sequence: number;
  timestamp: number;
}

/** Orders one speaker's packets. */
export class VoiceOrder {
  /** Samples emitted so far, from the stream's start. */
  #at = 0;
  #last: Placed | undefined;
  /** Packets that came before a missing one, by sequence number. */
  readonly #held: Held[] = [];
  /** Counted for statistics. */
  reordered = 0;
  late = 0;

  /** Samples emitted so far. */
  get at(): number {
    return this.#at;
  }

  /** Packets that wait for an earlier one. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes a packet of `length` samples that came `now` samples after the stream's start; returns what can be emitted. */
  *push(packet: VoicePacket, length: number, now: number): Generator<VoicePiece> {
    const { sequence, timestamp } = packet;
    if (sequence === undefined || timestamp === undefined || !this.#last) {
      yield* this.#byArrival(now - length);
      yield* this.#lay(packet, length);
      return;
    }
    const ahead = distance(this.#last.sequence, sequence, 16);
    // Too late, or sent twice.
    if (ahead <= 0 || this.#held.some((one) => one.packet.sequence === sequence)) {
      this.late++;
      return;
    }
    if (ahead > 1) {
      this.#held.push({ packet, length });
      this.#held.sort((a, b) => distance(b.packet.sequence as number, a.packet.sequence as number, 16));
      // The first missing packet is given up; another one behind it may still come.
      if (this.#held.length >= MOST_HELD) yield* this.#placeNext();
      return;
    }
    if (this.#held.length > 0) this.reordered++;
    yield* this.#place(packet, length);
    if (this.#follows(this.#held[0])) yield* this.#placeNext();
  }

  /** The first packet that waits, and all that follow it without a gap. */
  *#placeNext(): Generator<VoicePiece> {
    do {
      const next = this.#held.shift() as Held;
      yield* this.#place(next.packet, next.length);
    } while (this.#follows(this.#held[0]));
  }

  /** Nothing is missing between the last packet and this one. */
  #follows(held: Held | undefined): boolean {
    const last = this.#last;
    return !!held && !!last && distance(last.sequence, held.packet.sequence as number, 16) === 1;
  }

  /** Gives up the missing packets before those that wait. */
  *flush(): Generator<VoicePiece> {
    for (const { packet, length } of this.#held.splice(0)) yield* this.#place(packet, length);
  }

  /** Nobody has spoken until `now`. */
  *idle(now: number): Generator<VoicePiece> {
    const samples = now - this.#at;
    if (samples > 0) yield* this.#silence(samples);
  }

  /** By its timestamp. */
  *#place(packet: VoicePacket, length: number): Generator<VoicePiece> {
    const last = this.#last as Placed;
    const missing = distance(last.sequence, packet.sequence as number, 16) - 1;
    const jump = distance(last.timestamp, packet.timestamp as number, 32);
    const pause = jump - this.#length;
    // The pause may have been emitted already, by the clock.
    const left = pause - this.#idled;
    if (missing > 0 && left > 0 && left < LONGEST_PAUSE) {
      const lost = Math.min(left, missing * this.#length);
      if (left > lost) yield* this.#silence(left - lost);
      this.#at += lost;
      yield { kind: 'lost', samples: lost };
    } else if (left > 0 && left < LONGEST_PAUSE) {
      yield* this.#silence(left);
    }
    yield* this.#lay(packet, length);
  }

  *#lay(packet: VoicePacket, length: number): Generator<VoicePiece> {
    const { sequence, timestamp } = packet;
    this.#last = sequence === undefined || timestamp === undefined ? undefined : { sequence, timestamp };
    this.#length = length;
    this.#silent = SILENT_PACKET.every((byte, i) => packet.bytes[i] === byte);
    this.#idled = 0;
    this.#at += length;
    yield { kind: 'packet', bytes: packet.bytes };
  }

  /** What is between the sound so far and a packet without a position that begins at `time`: a loss in the middle of speech, or a pause. */
  *#byArrival(time: number): Generator<VoicePiece> {
    const samples = time - this.#at;
    if (samples <= JITTER) return;
    const speaking = this.#length > 0 && !this.#silent && this.#idled === 0;
    if (!speaking || samples > LONGEST_GUESSED_LOSS) return yield* this.#silence(samples);
    this.#at += samples;
    yield { kind: 'lost', samples };
  }

  *#silence(samples: number): Generator<VoicePiece> {
    this.#at += samples;
    this.#idled += samples;
    yield { kind: 'silence', samples };
  }

  /** Of the last packet, in samples. */
  #length = 0;
  /** The last packet was silent. */
  #silent = false;
  /** Samples of silence emitted since the last packet. */
  #idled = 0;
}
