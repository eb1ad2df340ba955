/**
 * Reads from a Linux library what decides whether it runs: its processor, the libraries and the version of glibc that it needs. Only
 * 64-bit, little-endian ELF.
 */
import { readFileSync } from 'node:fs';

const MACHINES = { 62: 'x64', 183: 'arm64' };
const DYNAMIC_SECTION = 6;
const VERSION_NEEDS_SECTION = 0x6ffffffe;
const NEEDED = 1n;

/**
 * @param {string} file
 * @returns {{ arch: string, needed: string[], glibc: string }} `glibc`: the newest version that a symbol asks for, or ''
 */
export function readElf(file) {
  const bytes = readFileSync(file);
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) {
    throw new Error(`Expected a 64-bit ELF library but ${file} is none`);
  }
  const arch = MACHINES[bytes.readUInt16LE(18)] ?? 'unknown';
  const sections = sectionsOf(bytes);
  return { arch, needed: neededOf(bytes, sections), glibc: newest(glibcVersions(bytes, sections)) };
}

function sectionsOf(bytes) {
  const start = Number(bytes.readBigUInt64LE(40));
  const size = bytes.readUInt16LE(58);
  return Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => {
    const at = start + index * size;
    return {
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
    };
  });
}

function neededOf(bytes, sections) {
  const dynamic = sections.find(({ type }) => type === DYNAMIC_SECTION);
  if (!dynamic) return [];
  const needed = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    if (bytes.readBigUInt64LE(at) !== NEEDED) continue;
    needed.push(stringAt(bytes, sections[dynamic.link].offset + Number(bytes.readBigUInt64LE(at + 8))));
  }
  return needed;
}

/** The versions of glibc that the symbols of this library were linked to. */
function glibcVersions(bytes, sections) {
  const needs = sections.find(({ type }) => type === VERSION_NEEDS_SECTION);
  if (!needs) return [];
  const strings = sections[needs.link].offset;
  const versions = [];
  for (let file = needs.offset; ; ) {
    const count = bytes.readUInt16LE(file + 2);
    let version = file + bytes.readUInt32LE(file + 8);
    for (let i = 0; i < count; i++) {
      const name = stringAt(bytes, strings + bytes.readUInt32LE(version + 8));
      const [, number] = /^GLIBC_([\d.]+)$/.exec(name) ?? [];
      if (number) versions.push(number);
      version += bytes.readUInt32LE(version + 12);
    }
    const next = bytes.readUInt32LE(file + 12);
    if (next === 0) return versions;
    file += next;
  }
}

/**
 * The newest of some versions, or ''.
 *
 * @param {readonly string[]} versions
 */
export function newest(versions) {
  const ordered = [...versions].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return ordered.at(-1) ?? '';
}

function stringAt(bytes, at) {
  return bytes.toString('latin1', at, bytes.indexOf(0, at));
}
