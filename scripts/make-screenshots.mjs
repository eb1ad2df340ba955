/**
 * The pictures of the caption server's page, docs/pictures/page-*.png and overlay.png: a real Chromium (Debian's package `chromium`) whose microphone
 * is four recordings of test/audio.
 *
 *     npm run screenshots
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { wavWriter } from 'parakeet-stream';
import { createServer } from 'parakeet-stream/server';
import { chromium } from 'playwright-core';
import { readSamples } from '../bench/recordings.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const pictures = path.join(root, 'docs', 'pictures');
const RECORDINGS = [
  'sense_and_sensibility_01_austen_64kb-0920',
  'am_michael_05',
  'bf_emma_06',
  'librispeech-dev-clean_2412-153948-0001',
];
const RATE = 48_000;
const DESKTOP = { width: 1200, height: 600 };
const PHONE = { width: 390, height: 760 };

/** The recordings as the sound of a microphone, with pauses. */
async function microphoneFile(file) {
  const pause = new Float32Array(0.8 * RATE);
  const parts = [];
  for (const name of RECORDINGS)
    parts.push(await readSamples(path.join(root, 'test', 'audio', `${name}.flac`), RATE), pause);
  const chunks = [pause, ...parts].map((samples) => ({ channels: [samples], sampleRate: RATE }));
  await pipeline(Readable.from(chunks), wavWriter(file));
}

/** Resolves when three sentences are final, and some words behind them are dim. */
async function heard(page) {
  await page.locator('.caption').nth(2).waitFor({ timeout: 60_000 });
  await page
    .locator('.tentative', { hasText: /\w+ \w+ \w+/ })
    .first()
    .waitFor({ timeout: 60_000 });
}

async function takePictures(browser, address) {
  const shot = (page, name) => page.screenshot({ path: path.join(pictures, `${name}.png`) });
  const page = await browser.newPage({ viewport: DESKTOP, colorScheme: 'light' });
  await page.goto(address);
  await page.click('#toggle');
  await heard(page);
  await shot(page, 'page-light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shot(page, 'page-dark');
  await page.click('#share');
  const link = await page.locator('#share-page').inputValue();
  const overlayLink = await page.locator('#share-overlay').inputValue();
  await page.keyboard.press('Escape');
  const phone = await browser.newPage({ viewport: PHONE, colorScheme: 'light' });
  await phone.goto(link);
  await heard(phone);
  await shot(phone, 'page-phone');
  const overlay = await browser.newPage({ viewport: { width: 960, height: 540 } });
  await overlay.goto(overlayLink);
  // In place of the picture that it lies on.
  await overlay.evaluate(() => {
    document.documentElement.style.background = '#4a6572';
  });
  await overlay.locator('.tentative:not(:empty)').first().waitFor({ timeout: 60_000 });
  await shot(overlay, 'overlay');
}

const folder = mkdtempSync(path.join(tmpdir(), 'parakeet-screenshots-'));
const microphone = path.join(folder, 'microphone.wav');
await microphoneFile(microphone);
const server = await createServer({ port: 0, maxStreams: 4 });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${microphone}%noloop`,
  ],
});
try {
  await takePictures(browser, await server.listen());
} finally {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
}
