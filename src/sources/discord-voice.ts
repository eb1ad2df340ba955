/**
 * A source: one speaker of a Discord voice channel, from the receiver of `@discordjs/voice`. The order of packets is in voice-packets.ts,
 * Opus in audio/formats/. The package itself is not needed here: a receiver is recognised by its methods.
 */
import type { Readable } from 'node:stream';
import { OpusDecoder } from '../audio/formats/opus-decoder.js';
import { MAX_PACKET_SAMPLES, OPUS_RATE, parseOpusPacket } from '../audio/formats/opus-packet.js';
import { AudioError } from '../errors.js';
import { expected, known } from '../options.js';
import { LiveSource, type LiveSourceOptions, liveSourceKeys } from './live-source.js';
import { readRtpHeaders, rtpHeaderOf } from './rtp-headers.js';
import { VoiceOrder, type VoicePacket, type VoicePiece } from './voice-packets.js';

/** The part of a `VoiceReceiver` that is used. */
export interface VoiceReceiverLike {
  /** The packets of one user. */
  subscribe(userId: string, options?: object): Readable;
}

/** Options of {@link discordVoice}. */
export type DiscordVoiceOptions = LiveSourceOptions;

/** Statistics of a speaker's packets. */
export interface VoiceStats {
  packets: number;
  /**
   * How losses are counted. `'rtp'`: exactly, by the packets' sequence numbers and timestamps. `'arrival'`: estimated from arrival times
   * (reordered packets cannot be detected then).
   */
  clock: 'rtp' | 'arrival';
  /** Seconds of sound lost on the way; the first 100 ms of each loss are concealed, the rest is silent. */
  lostSeconds: number;
  concealedSeconds: number;
  /** Packets that were put back into order, and packets that came too late. */
  reordered: number;
  late: number;
  /** Not Opus: damaged, or not decrypted. */
  damaged: number;
  /** Times that the subscription broke and was renewed. */
  resubscribed: number;
}

/** `EndBehaviorType.Manual` of `@discordjs/voice`: the subscription lasts until we end it. */
const MANUAL = 0;
/** How often the clock is checked, in milliseconds. */
const TICK = 100;
/** After how long without a packet a speaker counts as silent, and how long a missing packet is waited for; in milliseconds. */
const QUIET_MS = 200;
const HELD_MS = 60;
/** Samples of a loss that are concealed. */
const MOST_CONCEALED = 4800;
/** Milliseconds before a broken subscription is renewed. */
const RESUBSCRIBE_MS = 50;

/**
 * The speech of one user, on the clock of this call: silence while the user is silent, so that the user's time advances for `merge()`. Mono,
 * 48 kHz. With `parakeet({ silence: { gate: true } })` silence costs almost nothing.
 *
 * Packets are ordered, and losses counted, by their RTP headers. Current releases of `@discordjs/voice` (0.19) do not expose the headers, so
 * `discordVoice` reads them where the receiver parses datagrams: it wraps the method `parsePacket` of this receiver. Packets that are objects
 * with `payload`, `sequence` and `timestamp` are accepted as well. Without either, order and losses are estimated from arrival times;
 * `stats.clock` says which. A subscription that breaks (a packet could not be decrypted) is renewed, and `resubscribed` is emitted with the
 * error; other speakers are not affected. Lasts until `stop()`, `destroy()` or the signal.
 *
 * @param receiver `connection.receiver` of `@discordjs/voice`.
 * @throws {@link ArgumentError} for invalid arguments. The source fails with a {@link LagError} when its reader is too slow, see
 * {@link LiveSourceOptions}.
 *
 * @example
 * ```js no-run
 * import { pipeline } from 'node:stream/promises';
 * import { discordVoice, parakeet, txtWriter } from 'parakeet-stream';
 *
 * // connection: what joinVoiceChannel() of @discordjs/voice returns.
 * export async function writeSpeech(connection, userId) {
 *   const voice = discordVoice(connection.receiver, userId);
 *   connection.once('destroyed', () => voice.stop());
 *   await pipeline(voice, parakeet({ silence: { gate: true } }), txtWriter(`${userId}.txt`));
 * }
 * ```
 */
export function discordVoice(
  receiver: VoiceReceiverLike,
  userId: string,
  options: DiscordVoiceOptions = {},
): DiscordVoice {
  known('discordVoice', options, liveSourceKeys);
  if (typeof receiver !== 'object' || receiver === null || typeof receiver.subscribe !== 'function') {
    throw expected('the receiver of a voice connection', 'receiver', receiver, 'It is connection.receiver.');
  }
  if (typeof userId !== 'string' || userId === '') throw expected("a user's id", 'userId', userId);
  return new DiscordVoice(receiver, userId, options);
}

/** The source that {@link discordVoice} makes. */
export class DiscordVoice extends LiveSource {
  readonly userId: string;
  /** `Date.now()` at the first sample: where the stream is on a clock that several streams share. */
  readonly startedAt = Date.now();
  readonly #receiver: VoiceReceiverLike;
  readonly #decoder = new OpusDecoder(1);
  readonly #order = new VoiceOrder();
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #subscription: Readable | undefined;
  #retry: NodeJS.Timeout | undefined;
  #lastPacket = 0;
  #stopped = false;
  #clock: VoiceStats['clock'] = 'arrival';
  readonly #stats = { packets: 0, lostSeconds: 0, concealedSeconds: 0, damaged: 0, resubscribed: 0 };

  /** @internal */
  constructor(receiver: VoiceReceiverLike, userId: string, options: LiveSourceOptions) {
    super(OPUS_RATE, options);
    this.#receiver = receiver;
    this.userId = userId;
    readRtpHeaders(receiver);
    this.#subscribe();
    this.#timer = setInterval(() => this.#tick(), TICK);
  }

  /** What has arrived and what has not, so far. */
  get stats(): VoiceStats {
    return { ...this.#stats, clock: this.#clock, reordered: this.#order.reordered, late: this.#order.late };
  }

  /** Call it when the speaker has left: what was said before is still emitted. */
  stop(): void {
    if (this.#stopped) return;
    for (const piece of this.#order.flush()) this.#hear(piece);
    this.#unsubscribe();
    this.endSound();
  }

  /** Node's. @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unsubscribe();
    this.#decoder.close();
    callback(error);
  }

  #subscribe(): void {
    const subscription = this.#receiver.subscribe(this.userId, { end: { behavior: MANUAL } });
    this.#subscription = subscription;
    let failure: Error | undefined;
    subscription.on('data', (packet: unknown) => this.#take(packet));
    subscription.on('error', (error: Error) => {
      failure = error;
    });
    subscription.once('close', () => {
      if (this.#stopped || this.destroyed) return;
      this.#subscription = undefined;
      this.#retry = setTimeout(() => {
        this.#stats.resubscribed++;
        this.#subscribe();
        this.emit('resubscribed', failure);
      }, RESUBSCRIBE_MS);
    });
  }

  #unsubscribe(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#subscription?.destroy();
    this.#subscription = undefined;
  }

  /** Samples since the start. */
  get #now(): number {
    return Math.round(((performance.now() - this.#began) / 1000) * OPUS_RATE);
  }

  #take(value: unknown): void {
    const packet = toPacket(value);
    if (!packet || this.destroyed) return;
    this.#stats.packets++;
    this.#clock = packet.sequence === undefined ? 'arrival' : 'rtp';
    this.#lastPacket = performance.now();
    let length: number;
    try {
      const { frames, frameSamples } = parseOpusPacket(packet.bytes);
      length = frames.length * frameSamples;
    } catch {
      // A packet that is not Opus is as good as lost; the position of the next one tells how much.
      this.#stats.damaged++;
      return;
    }
    for (const piece of this.#order.push(packet, length, this.#now)) this.#hear(piece);
  }

  #tick(): void {
    const quiet = performance.now() - this.#lastPacket;
    if (this.#order.held > 0 && quiet > HELD_MS) {
      for (const piece of this.#order.flush()) this.#hear(piece);
    }
    if (quiet < QUIET_MS) return;
    // A packet may be on its way: silence stays behind the clock by that much.
    const until = this.#now - (QUIET_MS / 1000) * OPUS_RATE;
    for (const piece of this.#order.idle(until)) this.#hear(piece);
  }

  #hear(piece: VoicePiece): void {
    if (piece.kind === 'silence') this.silence(piece.samples);
    else if (piece.kind === 'lost') this.#conceal(piece.samples);
    else this.#decode(piece.bytes);
  }

  #decode(bytes: Uint8Array): void {
    try {
      this.give(toShorts(this.#decoder.decode(bytes)[0] as Float32Array));
    } catch (error) {
      if (!(error instanceof AudioError)) throw error;
      this.#stats.damaged++;
      this.#conceal(960);
    }
  }

  #conceal(samples: number): void {
    this.#stats.lostSeconds += samples / OPUS_RATE;
    const concealed = Math.min(samples, MOST_CONCEALED, MAX_PACKET_SAMPLES);
    this.#stats.concealedSeconds += concealed / OPUS_RATE;
    this.give(toShorts(this.#decoder.conceal(concealed)[0] as Float32Array));
    if (samples > concealed) this.fillGap(samples - concealed);
  }
}

/** A Buffer, whose header may be known, or an object with the bytes and the RTP fields. */
function toPacket(value: unknown): VoicePacket | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { payload, sequence, timestamp } = value as {
    payload?: unknown;
    sequence?: unknown;
    timestamp?: unknown;
  };
  const bytes = value instanceof Uint8Array ? value : payload;
  if (!(bytes instanceof Uint8Array)) return undefined;
  if (typeof sequence === 'number' && typeof timestamp === 'number') return { bytes, sequence, timestamp };
  return { bytes, ...rtpHeaderOf(value) };
}

function toShorts(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (x) => Math.max(-32_768, Math.min(32_767, Math.round(x * 32_768))));
}
