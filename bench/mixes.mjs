/**
 * Mixes of voices that take turns at different levels, made from a folder's recordings by a seed. How they are transcribed is
 * measured in voices.mjs.
 */

import path from 'node:path';
import { joined } from './joined.mjs';

/** The root mean square that a voice at 0 dB has, relative to full scale: −20 dBFS. */
const LOUDNESS = 0.1;
const PEAK = 0.99;
/** A voice needs so many seconds of recordings. */
const LEAST_SECONDS = 3.5;
const [SHORTEST, LONGEST] = [3, 60];
const SPREAD = 30;

/**
 * Numbers in [0, 1) that depend on the seed alone (mulberry32).
 *
 * @param {number} seed
 * @returns {() => number}
 */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The voice of a recording: files whose names differ only in the number at the end have the same one.
 *
 * @param {string} file
 * @returns {string}
 */
export function voiceOf(file) {
  return path.parse(file).name.replace(/[-_](snt|long)?\d+$/, '');
}

/**
 * The recordings by voice.
 *
 * @param {{ file: string, said: string, samples: Float32Array }[]} recordings
 * @param {number} rate
 * @returns {{ name: string, recordings: { said: string, samples: Float32Array }[] }[]} every recording at −20 dBFS
 */
export function voicesOf(recordings, rate) {
  const voices = new Map();
  for (const { file, said, samples } of recordings) {
    const name = voiceOf(file);
    const voice = voices.get(name) ?? { name, recordings: [], seconds: 0 };
    voice.recordings.push({ said, samples: atLevel(samples, LOUDNESS) });
    voice.seconds += samples.length / rate;
    voices.set(name, voice);
  }
  return [...voices.values()].filter(({ seconds }) => seconds >= LEAST_SECONDS);
}

/**
 * One mix: voices drawn from those given, each at a level of its own between 0 and −30 dB, and turns of 3 to 60 s, of whole recordings.
 *
 * @param {ReturnType<typeof voicesOf>} voices
 * @param {{ seed: number, speakers: number, seconds: number, rate: number }} options `seconds`: turns are added until it is that long
 * @returns {{ samples: Float32Array, said: string, names: string[], levels: number[], turns: { voice: number, seconds: number }[] }}
 */
export function mix(voices, { seed, speakers, seconds, rate }) {
  if (voices.length < speakers) {
    throw new Error(`Expected recordings of ${speakers} voices or more but received ${voices.length}`);
  }
  const next = random(seed);
  const left = [...voices];
  const chosen = Array.from({ length: speakers }, () => left.splice(Math.floor(next() * left.length), 1)[0]);
  // One voice is the loudest, one may be 30 dB below it.
  const loudest = Math.floor(next() * speakers);
  const levels = chosen.map((_, i) => (i === loudest ? 0 : -SPREAD * next()));
  const positions = chosen.map(({ recordings }) => Math.floor(next() * recordings.length));
  const parts = [];
  const said = [];
  const turns = [];
  let length = 0;
  let voice = Math.floor(next() * speakers);
  while (length < seconds * rate) {
    const wanted = SHORTEST * (LONGEST / SHORTEST) ** next() * rate;
    const { recordings } = chosen[voice];
    let turn = 0;
    // No recording twice in a turn: models drop words when a sentence is repeated.
    for (let i = 0; i < recordings.length && turn < wanted; i++) {
      const one = recordings[positions[voice]++ % recordings.length];
      // A last recording that would make the turn too long is left out.
      if (turn > 0 && turn + one.samples.length > LONGEST * rate) break;
      const gain = 10 ** (levels[voice] / 20);
      parts.push(one.samples.map((sample) => sample * gain));
      said.push(one.said);
      turn += one.samples.length;
    }
    turns.push({ voice, seconds: turn / rate });
    length += turn;
    // Another speaker is next.
    voice = (voice + 1 + Math.floor(next() * (speakers - 1))) % speakers;
  }
  return {
    samples: withoutClipping(joined(parts)),
    said: said.join(' '),
    names: chosen.map(({ name }) => name),
    levels,
    turns,
  };
}

/**
 * Sound with a root mean square of `loudness`.
 *
 * @param {Float32Array} samples
 * @param {number} loudness
 * @returns {Float32Array}
 */
export function atLevel(samples, loudness) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const gain = loudness / Math.sqrt(power);
  return samples.map((sample) => sample * gain);
}

function withoutClipping(samples) {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  return peak <= PEAK ? samples : samples.map((sample) => (sample * PEAK) / peak);
}
