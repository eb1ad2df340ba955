/**
 * The RTP headers (RFC 3550) of the packets that a receiver of `@discordjs/voice` passes on. The current release (0.19) emits bare Opus
 * packets, without the sequence number and timestamp that reveal losses and reordering.
 */

/** A packet's position in its stream. */
export interface RtpHeader {
  /** 16 bits, increased by one for each packet. */
  sequence: number;
  /** 32 bits, in samples at 48 kHz. */
  timestamp: number;
}

/** What the hook needs of a receiver: its method that turns a datagram into an Opus packet. */
interface PacketParser {
  parsePacket(datagram: Uint8Array, ...rest: unknown[]): unknown;
}

const HEADER_BYTES = 12;
const headers = new WeakMap<object, RtpHeader>();
const hooked = new WeakSet<object>();

/**
 * Remembers the header of each packet that `receiver` parses from now on, for {@link rtpHeaderOf}. It wraps `parsePacket` of this one
 * receiver; what the method returns and throws stays the same. Does nothing the second time.
 *
 * @returns false for a receiver without such a method (a later release, or another library): its packets may carry their positions
 * themselves.
 */
export function readRtpHeaders(receiver: object): boolean {
  if (hooked.has(receiver)) return true;
  if (!isParser(receiver)) return false;
  const parse = receiver.parsePacket;
  receiver.parsePacket = function (this: unknown, datagram: Uint8Array, ...rest: unknown[]) {
    const packet = parse.call(this as PacketParser, datagram, ...rest);
    if (typeof packet === 'object' && packet !== null && datagram.length >= HEADER_BYTES) {
      const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
      headers.set(packet, { sequence: view.getUint16(2), timestamp: view.getUint32(4) });
    }
    return packet;
  };
  hooked.add(receiver);
  return true;
}

/** The header of a packet from a hooked receiver. */
export function rtpHeaderOf(packet: object): RtpHeader | undefined {
  return headers.get(packet);
}

function isParser(receiver: object): receiver is PacketParser {
  return typeof (receiver as Partial<PacketParser>).parsePacket === 'function';
}
