/** The microphone with a recorder of our own, and with the real one on a virtual device where one can be made. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { devices, type MicOptions, mic } from '../../src/sources/mic.js';
import type { RecorderLibrary, Recording } from '../../src/sources/recorder.js';
import { decode } from '../../src/transforms/decode.js';
import { pass, stopClocks } from '../support/clock.js';
import { installed } from '../support/installed.js';
import { joined, through } from '../support/streams.js';

/** Where a program finds the real recorder, which is not among this package's own dependencies. */
const recorder = () => ({ NODE_PATH: path.join(installed('microphone'), 'node_modules') });

class FakeRecording extends Readable {
  overrunCount = 0;
  stopped = false;
  override _read() {}
  stop() {
    this.stopped = true;
    this.push(null);
    this.destroy();
  }
  say(samples = 800, value = 1000) {
    this.push(Buffer.from(new Int16Array(samples).fill(value).buffer));
    return sleep(2);
  }
}

function fake(openError?: Error) {
  const opened: FakeRecording[] = [];
  const asked: object[] = [];
  const library: RecorderLibrary = {
    Microphone: {
      async open(options) {
        asked.push(options);
        await sleep(1);
        if (openError) throw openError;
        const recording = new FakeRecording();
        opened.push(recording);
        return recording as Recording;
      },
    },
    inputDevices: () => [{ index: 0, name: 'Built-in', isDefault: true }],
  };
  const open = async (options: MicOptions = {}) => {
    const source = mic({ library, ...options });
    await sleep(5);
    return source;
  };
  return { opened, asked, library, open, last: () => opened.at(-1) as FakeRecording };
}

async function samplesOf(source: AsyncIterable<unknown>): Promise<Float32Array> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece as Buffer);
  const { items } = await through(pieces, decode());
  return joined(items)[0] ?? new Float32Array(0);
}

const VALUE = Math.fround(1000 / 32_768);

afterEach(() => void vi.useRealTimers());

describe('mic()', () => {
  test('gives what is recorded, as a WAV stream at 16 kHz, until it is stopped', async () => {
    const { open, last, asked } = fake();
    const source = await open({ device: 'USB' });
    expect(source.recording).toBe(true);
    for (let i = 0; i < 5; i++) await last().say();
    source.stop();
    const samples = await samplesOf(source);
    expect(samples.length).toBe(4000);
    expect(samples.every((x) => x === VALUE)).toBe(true);
    expect(last().stopped).toBe(true);
    expect(asked).toEqual([{ sampleRate: 16_000, channels: 1, framesPerBuffer: 800, device: 'USB' }]);
  });

  test('bytes that end within a sample lose nothing', async () => {
    const { open, last } = fake();
    const source = await open();
    const bytes = Buffer.from(Int16Array.from({ length: 100 }, (_, i) => i * 7 - 300).buffer);
    last().push(bytes.subarray(0, 33));
    last().push(bytes.subarray(33));
    await sleep(2);
    source.stop();
    const samples = await samplesOf(source);
    expect(Array.from(samples, (x) => x * 32_768)).toEqual(
      Array.from({ length: 100 }, (_, i) => i * 7 - 300),
    );
  });

  test('the time of a suspension is silence', async () => {
    const { open, last } = fake();
    stopClocks();
    const source = await open();
    await last().say();
    source.suspend();
    expect(source.recording).toBe(false);
    await pass(300);
    source.resumeRecording();
    await sleep(10);
    await last().say();
    source.stop();
    const samples = await samplesOf(source);
    const silent = samples.filter((x) => x === 0).length / 16_000;
    expect(silent).toBeCloseTo(0.3, 1);
    expect(samples.at(-1)).toBe(VALUE);
  });

  test('what the recorder dropped is a gap, and later sound keeps its time', async () => {
    const { open, last } = fake();
    const source = await open();
    const gaps: object[] = [];
    source.on('gap', (gap) => gaps.push(gap));
    await last().say();
    last().overrunCount = 3;
    await last().say();
    expect(gaps).toEqual([{ start: expect.closeTo(0.05), end: expect.any(Number) }]);
    expect(source.time).toBeGreaterThanOrEqual(5 * 0.05);
    source.destroy();
  });

  test('a device that goes away ends the sound with an error, after what was heard', async () => {
    const { open, last } = fake();
    const source = await open({ device: 'Built-in' });
    await last().say();
    last().destroy(new Error('Device disconnected.'));
    const heard: Buffer[] = [];
    await expect(
      (async () => {
        for await (const piece of source) heard.push(piece as Buffer);
      })(),
    ).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_AUDIO',
      message: expect.stringMatching(/'Built-in'.*Device disconnected\. Check.*may use it/),
    });
    expect(Buffer.concat(heard).length).toBe(44 + 1600);
  });

  test('a device that cannot be opened is an error of the stream', async () => {
    const { open } = fake(new Error('No microphone found'));
    const source = await open();
    await expect(source.toArray()).rejects.toMatchObject({
      code: 'ERR_PARAKEET_INVALID_AUDIO',
      message: expect.stringContaining('No microphone found'),
    });
  });

  test('stopped or destroyed while the device opens, it is closed again', async () => {
    const { library, opened } = fake();
    const stopped = mic({ library });
    stopped.stop();
    expect((await samplesOf(stopped)).length).toBe(0);
    const destroyed = mic({ library });
    destroyed.destroy();
    await new Promise((resolve) => destroyed.once('close', resolve));
    expect(opened.map((one) => one.stopped)).toEqual([true, true]);
    const aborter = new AbortController();
    const aborted = mic({ library, signal: aborter.signal });
    aborted.on('error', () => {});
    aborter.abort();
    await new Promise((resolve) => aborted.once('close', resolve));
    expect(opened.at(-1)?.stopped).toBe(true);
  });

  test('options that make no sense are refused', () => {
    const { library } = fake();
    for (const device of ['', -1, 0.5, {}])
      expect(() => mic({ library, device: device as string })).toThrow(/name or index of an input device/);
    expect(devices(library)).toEqual([{ index: 0, name: 'Built-in', isDefault: true }]);
  });
});

/** A PulseAudio server of our own with a sink whose monitor is the only microphone: where PulseAudio is installed. */
const havePulse =
  process.platform === 'linux' &&
  spawnSync('pulseaudio', ['--version']).status === 0 &&
  spawnSync('paplay', ['--version']).status === 0;

describe.skipIf(process.platform !== 'linux')('where there is no microphone', () => {
  test.each(['live --mic', 'devices'])('parakeet %s says so without the complaints of ALSA', (command) => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const { stderr } = spawnSync(process.execPath, [main, ...command.split(' ')], {
      encoding: 'utf8',
      // A configuration without any device, so that it makes no difference what this machine has.
      env: { ...process.env, ...recorder(), ALSA_CONFIG_PATH: '/dev/null', PULSE_SERVER: 'none' },
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    expect(stderr).not.toMatch(/ALSA lib/);
    if (command === 'live --mic') expect(stderr).toMatch(/^parakeet: ERR_PARAKEET_/m);
  });
});

test.skipIf(!havePulse)(
  'the real recorder hears a recording that plays on a virtual device',
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-pulse-'));
    const env = {
      ...process.env,
      ...recorder(),
      HOME: folder,
      XDG_RUNTIME_DIR: folder,
      PULSE_RUNTIME_PATH: path.join(folder, 'pulse'),
    };
    const modules = ['-L', 'module-native-protocol-unix', '-L', 'module-null-sink sink_name=virtual'];
    const server = spawn('pulseaudio', ['-n', '--exit-idle-time=-1', '--daemonize=no', ...modules], {
      env,
      stdio: 'ignore',
    });
    try {
      await sleep(1500);
      const program = fileURLToPath(new URL('../support/record-for.mjs', import.meta.url));
      const recorder = spawn(process.execPath, [program, '6'], { env });
      let text = '';
      recorder.stdout.on('data', (bytes) => {
        text += bytes;
      });
      const ended = new Promise((resolve) => recorder.once('close', resolve));
      await sleep(1500);
      spawnSync(
        'paplay',
        ['--device=virtual', fileURLToPath(new URL('../audio/af_sky_10.flac', import.meta.url))],
        {
          env,
        },
      );
      await ended;
      expect(text.toLowerCase()).toMatch(/gave the sign/);
    } finally {
      server.kill();
      await new Promise((resolve) => server.once('close', resolve));
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
