/** A real Chromium for tests of the page, with a recording as its microphone. Whoever has none installed sees these tests skipped. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { concat, samplesOf } from './samples.js';
import { wavFile } from './wav-file.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The program, or undefined if none is installed. */
export function chromiumProgram(): string | undefined {
  return NAMES.map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout?.trim()).find(
    (found) => found !== undefined && found !== '',
  );
}

/** Recordings one after the other with a pause behind each, as a WAV file of a microphone. */
async function microphoneFile(recordings: readonly string[], folder: string): Promise<string> {
  const rate = 48_000;
  const parts: Float32Array[] = [new Float32Array(rate / 2)];
  for (const recording of recordings)
    parts.push(await samplesOf(recording, rate), new Float32Array(0.8 * rate));
  // What is recorded behind the end is silence, not the beginning again.
  parts.push(new Float32Array(120 * rate));
  const file = path.join(folder, 'microphone.wav');
  writeFileSync(file, wavFile([concat(parts)], { sampleRate: rate }));
  return file;
}

/** The title of the tab that is shared when a page asks for one. */
export const SOUND_TAB = 'The tab with the sound';

/** Starts the browser; `close` ends it and removes its files. */
export async function launchChromium(
  program: string,
  recordings: readonly string[],
): Promise<{ browser: Browser; close: () => Promise<void> }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-chromium-'));
  const microphone = await microphoneFile(recordings, folder);
  const browser = await chromium.launch({
    executablePath: program,
    // A tab without sound could not be captured.
    ignoreDefaultArgs: ['--mute-audio'],
    args: [
      // Containers have no namespaces for it, and only our own page is opened.
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${microphone}%noloop`,
      '--autoplay-policy=no-user-gesture-required',
      `--auto-select-tab-capture-source-by-title=${SOUND_TAB}`,
    ],
  });
  const close = async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { browser, close };
}
