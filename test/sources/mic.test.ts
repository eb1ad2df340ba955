/** The microphone with a recorder of our own, and with the real one on a virtual device where one can be made. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { devices, mic } from '../../src/sources/mic.js';
import type { RecorderLibrary } from '../../src/sources/recorder.js';
import { decode } from '../../src/transforms/decode.js';
import { joined, through } from '../support/streams.js';

interface Fake {
  library: RecorderLibrary;
  log: string[];
  /** Lets the read that waits have samples, or fail. */
  say(value?: number): Promise<void>;
  lose(error: Error): Promise<void>;
}

function fake({ names = ['Built-in', 'USB Mic', 'USB Mic 2'], openError = '', startError = '' } = {}): Fake {
  const log: string[] = [];
  let waiting: { resolve: (samples: Int16Array) => void; reject: (error: Error) => void } | undefined;
  class Library {
    static getAvailableDevices = () => names;
    readonly sampleRate = 16_000;
    constructor(
      readonly frameLength: number,
      readonly deviceIndex: number,
    ) {
      if (openError) throw new Error(openError);
      log.push(`open ${deviceIndex}`);
    }
    start() {
      if (startError) throw new Error(startError);
      log.push('start');
    }
    stop() {
      log.push('stop');
      waiting?.reject(new Error('not recording'));
      waiting = undefined;
    }
    read() {
      return new Promise<Int16Array>((resolve, reject) => {
        waiting = { resolve, reject };
      });
    }
    release() {
      log.push('release');
    }
    getSelectedDevice() {
      return names[this.deviceIndex] ?? 'Default';
    }
  }
  const settle = async (done: (one: NonNullable<typeof waiting>) => void) => {
    const one = waiting as NonNullable<typeof waiting>;
    waiting = undefined;
    done(one);
    await sleep(1);
  };
  return {
    library: Library as unknown as RecorderLibrary,
    log,
    say: (value = 1000) => settle(({ resolve }) => resolve(new Int16Array(512).fill(value))),
    lose: (error) => settle(({ reject }) => reject(error)),
  };
}

async function samplesOf(source: AsyncIterable<unknown>): Promise<Float32Array> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece as Buffer);
  const { items } = await through(pieces, decode());
  return joined(items)[0] ?? new Float32Array(0);
}

describe('mic()', () => {
  test('gives what is recorded, as a WAV stream at 16 kHz, until it is stopped', async () => {
    const { library, say, log } = fake();
    const source = mic({ library });
    for (let i = 0; i < 5; i++) await say();
    expect(source.recording).toBe(true);
    expect(source.device).toBe('Default');
    source.stop();
    const samples = await samplesOf(source);
    expect(samples.length).toBe(5 * 512);
    expect(samples.every((x) => x === Math.fround(1000 / 32_768))).toBe(true);
    expect(log).toEqual(['open -1', 'start', 'stop', 'release']);
  });

  test('the time of a suspension is silence', async () => {
    const { library, say } = fake();
    const source = mic({ library });
    await say();
    source.suspend();
    await sleep(200);
    source.resumeRecording();
    await sleep(5);
    await say();
    source.stop();
    const samples = await samplesOf(source);
    const silent = samples.filter((x) => x === 0).length / 16_000;
    expect(silent).toBeGreaterThan(0.12);
    expect(silent).toBeLessThan(0.5);
    expect(samples.at(-1)).not.toBe(0);
  });

  test('a device that goes away ends the sound with an error, after what was heard', async () => {
    const { library, say, lose, log } = fake();
    const source = mic({ library, device: 'Built-in' });
    await say();
    await lose(new Error('IO_ERROR'));
    const heard: Buffer[] = [];
    await expect(
      (async () => {
        for await (const piece of source) heard.push(piece as Buffer);
      })(),
    ).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_AUDIO',
      message: expect.stringMatching(/Built-in.*IO_ERROR.*may use it/),
    });
    expect(Buffer.concat(heard).length).toBe(44 + 1024);
    expect(log.at(-1)).toBe('release');
  });

  test.each([
    ['USB Mic', 1],
    ['mic 2', 2],
    ['built', 0],
    [2, 2],
  ])('device %j is number %i', async (device, index) => {
    const { library, log } = fake();
    const source = mic({ library, device });
    expect(log[0]).toBe(`open ${index}`);
    source.destroy();
    await new Promise((resolve) => source.once('close', resolve));
    expect(log.at(-1)).toBe('release');
  });

  test.each([
    ['nothing like it', /'nothing like it'.*There are: 'Built-in', 'USB Mic', 'USB Mic 2'/],
    ['USB', /only one input device has/],
    [7, /index of an input device/],
    ['', /name or index/],
  ])('device %j is refused, and the error names those that there are', (device, message) => {
    expect(() => mic({ library: fake().library, device })).toThrow(message);
  });

  test('no device, or no permission, is a typed error that says what to look at', () => {
    expect(() => mic({ library: fake({ openError: 'BACKEND_ERROR' }).library })).toThrow(
      expect.objectContaining({ code: 'ERR_PARAKEET_INVALID_AUDIO' }),
    );
    expect(() => mic({ library: fake({ startError: 'denied' }).library })).toThrow(/denied.*Privacy/);
    expect(() => mic({ library: fake({ names: [] }).library, device: 'x' })).toThrow(/There are none/);
    expect(devices(fake().library)).toEqual(['Built-in', 'USB Mic', 'USB Mic 2']);
  });

  test('an abort releases the device', async () => {
    const { library, log } = fake();
    const aborter = new AbortController();
    const source = mic({ library, signal: aborter.signal });
    source.on('error', () => {});
    aborter.abort();
    await new Promise((resolve) => source.once('close', resolve));
    expect(log).toEqual(['open -1', 'start', 'stop', 'release']);
  });
});

/** A PulseAudio server of our own whose only source is a file that plays: where PulseAudio is installed. */
const pulse = spawnSync('pulseaudio', ['--version']).status === 0 && process.getuid?.() !== undefined;

describe.skipIf(!pulse)('the real recorder', () => {
  test('lists the devices of this machine without failing', () => {
    expect(Array.isArray(devices())).toBe(true);
  });
});
