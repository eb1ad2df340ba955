/**
 * The page in a real Chromium, with a recording as its microphone: captions, corrections, downloads, rooms, a lost connection, and whoever
 * uses a keyboard, a screen reader, a phone or the dark. Skipped where no Chromium is installed.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startServer, stopServers, type TestServer } from '../support/caption-server.js';
import { chromiumProgram, launchChromium, SOUND_TAB } from '../support/chromium.js';
import { root } from '../support/documents.js';

const program = chromiumProgram();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let server: TestServer;
let browser: Browser;
let close = async () => {};
const contexts: BrowserContext[] = [];
const complaints: string[] = [];

beforeAll(async () => {
  if (program === undefined) return;
  server = await startServer();
  ({ browser, close } = await launchChromium(program, [
    'am_michael_05.flac',
    'bf_emma_06.flac',
    'af_sky_10.flac',
  ]));
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
  expect(complaints.splice(0)).toEqual([]);
});
afterAll(async () => {
  await close();
  await stopServers();
});

/** Opens a page; what the browser complains of fails the test, but for `tolerated`. */
async function open(address: string, options: BrowserContextOptions = {}, tolerated = /^$/): Promise<Page> {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  contexts.push(context);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !tolerated.test(message.text()))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  return page;
}

/** The background, run in the page. */
const GROUND = 'getComputedStyle(document.body).backgroundColor';
const captionsOf = (page: Page) => page.locator('#captions .text').allInnerTexts();
/** Resolves when a final sentence says this. */
const heard = (page: Page, words: RegExp) =>
  expect.poll(async () => (await captionsOf(page)).join(' '), { timeout: 60_000 }).toMatch(words);
const stateIs = (page: Page, state: string) =>
  expect.poll(() => page.locator('html').getAttribute('data-state'), { timeout: 30_000 }).toBe(state);

/** What axe finds that is serious. */
async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await checker.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}

async function textOfDownload(page: Page, format: string): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.click(`[data-format="${format}"]`),
  ]);
  expect(download.suggestedFilename()).toBe(`captions.${format}`);
  return readFileSync((await download.path()) as string, 'utf8');
}

/** Whether something is wider than the screen. */
const overflows = (page: Page) =>
  page.evaluate<boolean>('document.documentElement.scrollWidth > document.documentElement.clientWidth');

// Without a browser there is nothing to see.
describe.skipIf(program === undefined)('in Chromium', { timeout: 120_000 }, () => {
  test('a microphone becomes captions, which others can watch, correct, hear and save', async () => {
    const page = await open(server.http);
    expect(await seriousFaults(page)).toEqual([]);
    // With the keyboard alone.
    await page.locator('#toggle').focus();
    await page.keyboard.press('Enter');
    await stateIs(page, 'live');
    // Words are dim as long as they may change.
    await expect
      .poll(() => page.locator('.tentative').first().textContent(), { timeout: 30_000 })
      .not.toBe('');
    const opacity = await page.evaluate<string>(
      `getComputedStyle(document.querySelector('.tentative')).opacity`,
    );
    expect(Number(opacity)).toBeLessThan(1);
    await expect
      .poll(() => page.locator('#level-bar').evaluate((bar) => bar.getBoundingClientRect().width))
      .toBeGreaterThan(20);
    await expect.poll(() => page.locator('#delay').textContent()).toMatch(/^final after \d\.\d s$/);
    expect(await page.locator('#draft').getAttribute('aria-hidden')).toBe('true');
    expect(await page.locator('[role=log]').getAttribute('aria-live')).toBe('polite');

    await page.click('#share');
    const link = await page.locator('#share-page').inputValue();
    const overlayLink = await page.locator('#share-overlay').inputValue();
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    const viewer = await open(link);
    const overlay = await open(overlayLink);
    await heard(viewer, /born on April/i);
    await expect.poll(() => overlay.locator('#overlay').textContent(), { timeout: 30_000 }).not.toBe('');
    expect(await overlay.evaluate(GROUND)).toBe('rgba(0, 0, 0, 0)');
    expect(await seriousFaults(viewer)).toEqual([]);
    expect(await seriousFaults(overlay)).toEqual([]);

    await heard(page, /human heart/);
    expect(await seriousFaults(page)).toEqual([]);
    await page.click('#toggle');
    await stateIs(page, 'ended');
    await stateIs(viewer, 'ended');
    expect(await captionsOf(viewer)).toEqual(await captionsOf(page));
    expect(await seriousFaults(page)).toEqual([]);

    // Hearing a sentence again.
    const first = page.locator('.caption').first();
    await first.locator('.time').click();
    expect(await first.getAttribute('class')).toContain('playing');
    await expect.poll(() => first.getAttribute('class'), { timeout: 20_000 }).not.toContain('playing');

    // Correcting it.
    await first.locator('.text').fill('I was born on May fifth in Turku.');
    expect(await textOfDownload(page, 'txt')).toMatch(/^I was born on May fifth in Turku\.\n/);
    expect(await textOfDownload(page, 'srt')).toMatch(
      /^1\n00:00:0\d,\d{3} --> .*\nI was born on May fifth in Turku\.\n/,
    );
    expect(await textOfDownload(page, 'vtt')).toMatch(/^WEBVTT\n\n/);
    expect(JSON.parse(await textOfDownload(page, 'json')).sentences[0].text).toMatch(/Turku/);
  });

  test('a lost connection costs nothing: the sound is kept, and it says so', async () => {
    const refused = /ERR_INTERNET_DISCONNECTED|Failed to load resource|WebSocket/;
    const page = await open(server.http, {}, refused);
    await page.click('#toggle');
    await stateIs(page, 'live');
    await expect
      .poll(() => page.locator('.tentative').first().textContent(), { timeout: 30_000 })
      .not.toBe('');
    await page.context().setOffline(true);
    await stateIs(page, 'lost');
    await expect.poll(() => page.locator('#message').textContent()).toMatch(/Connection lost: .* kept/);
    expect(await seriousFaults(page)).toEqual([]);
    // The second recording is spoken meanwhile.
    await expect
      .poll(() => page.locator('#message').textContent(), { timeout: 30_000 })
      .toMatch(/[5-9] s of sound/);
    await page.context().setOffline(false);
    await stateIs(page, 'live');
    await expect.poll(() => page.locator('#message').textContent()).toMatch(/Nothing was lost/);
    await heard(page, /born on April.*human heart.*sign to start/i);
    expect((await captionsOf(page)).length).toBe(3);
  });

  test('a server that was started again goes on with a new session', async () => {
    const first = await startServer();
    const port = Number(new URL(first.http).port);
    const page = await open(first.http, {}, /ERR_CONNECTION_REFUSED|Failed to load resource|WebSocket/);
    await page.click('#toggle');
    await stateIs(page, 'live');
    await heard(page, /born on April/i);
    await first.server.close();
    await startServer({ port });
    await heard(page, /human heart/);
    const texts = (await captionsOf(page)).join(' ');
    expect(texts.match(/born on April/gi)).toHaveLength(1);
  });

  test('phrases that the model cannot spell are named, and microphones can be chosen', async () => {
    const page = await open(server.http);
    await page.click('#phrases-button');
    await page.locator('#phrases').fill('Helsinki\n☃☃');
    await page.getByRole('button', { name: 'Done' }).click();
    await page.click('#toggle');
    await expect.poll(() => page.locator('#message').textContent()).toBe('The model cannot spell: ☃☃');
    await expect.poll(() => page.locator('#device option').count()).toBeGreaterThan(1);
  });

  test('the sound of a tab becomes captions', async () => {
    const page = await open(server.http);
    const tab = await page.context().newPage();
    const sound = readFileSync(path.join(root, 'test', 'audio', 'am_michael_05.flac')).toString('base64');
    const html = `<title>${SOUND_TAB}</title><audio autoplay loop src="data:audio/flac;base64,${sound}"></audio>`;
    await tab.route('**/sound.html', (route) => route.fulfill({ contentType: 'text/html', body: html }));
    await tab.goto(`${server.http}/sound.html`);
    await page.selectOption('#source', 'tab');
    await page.click('#toggle');
    await heard(page, /April/);
  });

  test('a file plays, and becomes captions', async () => {
    const page = await open(server.http);
    await page.selectOption('#source', 'file');
    await page.setInputFiles('#file', path.join(root, 'test', 'audio', 'am_michael_05.flac'));
    await heard(page, /born on April/i);
    // It ends with the file.
    await stateIs(page, 'ended');
  });

  test('a server with tokens asks for one, and its room is watched with a ticket', async () => {
    const token = 'a-token-of-20-letters';
    const guarded = await startServer({ tokens: [{ name: 'studio', token }] });
    const page = await open(guarded.http, {}, /401/);
    await page.click('#toggle');
    await page.locator('#token').fill(token);
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await stateIs(page, 'live');
    await page.click('#share');
    await expect.poll(() => page.locator('#share-page').inputValue()).toMatch(/\?ticket=/);
    const viewer = await open(await page.locator('#share-page').inputValue());
    // A browser on a busy machine may miss the first words.
    await heard(viewer, /human heart/i);
    const stranger = await open(`${guarded.http}/rooms/anything`, {}, /401/);
    await stateIs(stranger, 'lost');
  });

  test.each([320, 1920])(
    'at %d pixels nothing is cut off, in the dark and with large type',
    async (width) => {
      const page = await open(server.http, {
        viewport: { width, height: 800 },
        colorScheme: 'dark',
        reducedMotion: 'reduce',
      });
      expect(await overflows(page)).toBe(false);
      expect(await seriousFaults(page)).toEqual([]);
      await page.locator('#size').fill('3');
      await page.click('#toggle');
      await heard(page, /Helsinki/);
      expect(await overflows(page)).toBe(false);
      expect(await seriousFaults(page)).toEqual([]);
      const moves = await page.evaluate(
        `getComputedStyle(document.querySelector('.pill'), '::before').animationName`,
      );
      expect(moves).toBe('none');
    },
  );

  test('the colours are those that were chosen, also next time', async () => {
    const page = await open(server.http, { colorScheme: 'dark' });
    const ground = () => page.evaluate<string>(GROUND);
    const dark = await ground();
    await page.click('#theme');
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await ground()).toBe(light);
  });

  test('a room that nobody uses waits', async () => {
    const page = await open(`${server.http}/rooms/empty`);
    await stateIs(page, 'ended');
    expect(await page.locator('.welcome').isVisible()).toBe(true);
    expect(await seriousFaults(page)).toEqual([]);
  });
});
