/** Debian's Firefox as a listener and for the replay, driven over WebDriver BiDi. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import puppeteer from 'puppeteer-core';
import { PATIENCE_MILLIS } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('puppeteer-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;

before(async () => {
  server = await startServer();
  browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    timeout: PATIENCE_MILLIS,
    extraPrefsFirefox: { 'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0 },
  });
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test('Firefox hears the event and its replay', async (t) => {
  const event = await server.event('Heard in Firefox');
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MILLIS);
  await page.goto(event.page);
  await page.waitForSelector('town-player .listen');
  // Through Web Audio the sound flows on machines without a sound card, where Firefox refuses to play otherwise.
  await page.evaluate(() => {
    const context = new AudioContext();
    context.createMediaElementSource(/** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'))).connect(context.destination);
    Object.assign(globalThis, { context });
  });
  await page.locator('.listen').click();
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 3);
  const stats = await page.evaluate(() => /** @type {any} */ (document.querySelector('town-player')).stats);
  t.diagnostic(`Firefox: ${JSON.stringify(stats)}`);
  assert.equal(stats.by, 'stream');
  assert.equal(stats.gaps, 0);
  await server.cli('event', 'end', event.id);
  await page.waitForSelector('town-replay .seek');
  await page.locator('town-replay .listen').click();
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 1 && !document.querySelector('audio')?.paused);
});
