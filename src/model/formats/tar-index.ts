/**
 * Where the files of a tar archive are in it: their names, offsets and sizes, without unpacking, because the engine maps the weights in
 * place. POSIX ustar with pax and GNU's long names and sizes.
 *
 * Not `tar-stream` (3.2): its headers have the offset of a member, but it is a stream that reads every byte of the archive, including
 * gigabytes of weights, to find the next header. This reads the headers alone.
 */
import type { FileHandle } from 'node:fs/promises';
import { readAt } from '../read-at.js';

/** A file in the archive. */
export interface TarEntry {
  /** Without a leading `./`. */
  name: string;
  /** Bytes from the start of the archive. */
  offset: number;
  size: number;
}

const BLOCK = 512;
/** Names and attributes are short; an archive with longer ones is not supported. */
const MOST_ATTRIBUTES = 1 << 20;

/** Reads the headers. Throws an `Error` that says what is wrong. */
export async function readTarIndex(handle: FileHandle): Promise<TarEntry[]> {
  const { size: end } = await handle.stat();
  const entries: TarEntry[] = [];
  let longName: string | undefined;
  let attributes = new Map<string, string>();
  for (let at = 0; at + BLOCK <= end; ) {
    const header = await readAt(handle, at, BLOCK);
    if (header.every((byte) => byte === 0)) break;
    mustMatchChecksum(header, at);
    const type = String.fromCharCode(header[156] as number);
    const size = Number(attributes.get('size') ?? numberAt(header, 124, 12));
    const offset = at + BLOCK;
    if (!Number.isSafeInteger(size) || offset + size > end) throw new Error('it is cut short');
    if (type === 'L' || type === 'x') {
      if (size > MOST_ATTRIBUTES) throw new Error(`a name of ${size} bytes`);
      const content = await readAt(handle, offset, size);
      if (type === 'L') longName = textOf(content);
      else attributes = readAttributes(content);
    } else {
      const prefix = header.toString('latin1', 257, 262) === 'ustar' ? textOf(header.subarray(345, 500)) : '';
      const short = textOf(header.subarray(0, 100));
      const name = attributes.get('path') ?? longName ?? (prefix === '' ? short : `${prefix}/${short}`);
      if (type === '0' || type === '\0' || type === '7')
        entries.push({ name: name.replace(/^\.\//, ''), offset, size });
      longName = undefined;
      attributes = new Map();
    }
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (entries.length === 0) throw new Error('it has no files');
  return entries;
}

/** The sum of the header's bytes, with its own field taken as spaces. */
function mustMatchChecksum(header: Buffer, at: number): void {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (sum !== numberAt(header, 148, 8))
    throw new Error(`no tar header at byte ${at} (its checksum is wrong)`);
}

/** Octal text, or GNU's big-endian binary for numbers that do not fit. */
function numberAt(header: Buffer, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (((field[0] as number) & 0x80) === 0) return Number.parseInt(textOf(field).trim() || '0', 8);
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
}

/** Records `"<length> <key>=<value>\n"`. */
function readAttributes(content: Buffer): Map<string, string> {
  const attributes = new Map<string, string>();
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const length = Number.parseInt(content.toString('latin1', at, space), 10);
    if (space < 0 || !(length > 0)) break;
    const record = content.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    attributes.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return attributes;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
