/** LL-HLS as the field's own player sees it: hls.js in Chromium, parts loaded, near the edge, no stall. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

const HLS = await readFile(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'), 'utf8');
const SECONDS = Number(process.env.TOWNSQUARE_HLS_SECONDS ?? 120);

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test(`hls.js plays for ${SECONDS} s with low latency and no stall`, async () => {
  const event = await server.event('Listened to over HLS');
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(server.base);
  await page.waitForFunction((url) => fetch(url).then((answer) => answer.ok, () => false), event.listen.hls, { timeout: 20_000 });
  await page.evaluate(HLS);
  await page.evaluate((url) => {
    const { Hls } = /** @type {any} */ (globalThis);
    document.body.innerHTML = '<audio id="hls"></audio>';
    const audio = /** @type {HTMLAudioElement} */ (document.getElementById('hls'));
    const hls = new Hls({ lowLatencyMode: true });
    const seen = { parts: 0, segments: 0, stalls: 0, fatal: /** @type {string[]} */ ([]), latency: /** @type {number[]} */ ([]) };
    hls.on(Hls.Events.FRAG_LOADED, (/** @type {unknown} */ _, /** @type {any} */ data) => (data.part ? seen.parts++ : seen.segments++));
    hls.on(Hls.Events.ERROR, (/** @type {unknown} */ _, /** @type {any} */ data) => {
      if (data.fatal) seen.fatal.push(data.details);
      if (data.details === 'bufferStalledError') seen.stalls += 1;
    });
    setInterval(() => audio.currentTime > 0 && seen.latency.push(hls.latency), 500);
    hls.loadSource(url);
    hls.attachMedia(audio);
    void audio.play();
    Object.assign(globalThis, { seen });
  }, event.listen.hls);
  await page.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.getElementById('hls')).currentTime > 1, null, { timeout: 20_000 });
  const from = await page.evaluate(() => /** @type {HTMLAudioElement} */ (document.getElementById('hls')).currentTime);
  await page.waitForTimeout(SECONDS * 1000);
  const to = await page.evaluate(() => /** @type {HTMLAudioElement} */ (document.getElementById('hls')).currentTime);
  const seen = await page.evaluate(() => /** @type {any} */ (globalThis).seen);
  const latency = seen.latency.toSorted((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  const p50 = latency[latency.length >> 1];
  console.log(`parts ${seen.parts}, segments ${seen.segments}, stalls ${seen.stalls}, latency p50 ${p50.toFixed(2)} s, p99 ${latency[Math.floor(latency.length * 0.99)].toFixed(2)} s`);
  assert.deepEqual(seen.fatal, []);
  assert.ok(seen.parts > 0, 'parts were loaded');
  assert.equal(seen.stalls, 0, 'no stall');
  assert.ok(p50 < 3, `latency p50 ${p50} s`);
  assert.ok(to - from > SECONDS * 0.9, `${to - from} s of sound in ${SECONDS} s`);
});

test('when a proxy swallows the endless stream, the player goes on with HLS', async () => {
  const event = await server.event('Behind a bad proxy');
  const voice_ = spawn(binary, ['speak', event.stage, await voice('ben'), '--loop'], { stdio: 'ignore' });
  try {
    const page = await (await browser.newContext()).newPage();
    await page.route(/\/live\/[^/]+\.mp4/, (route) => (route.request().method() === 'HEAD' ? route.continue() : route.abort()));
    await page.goto(event.page);
    await page.waitForFunction((url) => fetch(url).then((answer) => answer.ok, () => false), event.listen.hls, { timeout: 20_000 });
    await page.getByRole('button', { name: 'Listen' }).click();
    await page.waitForFunction(
      () => {
        const { by, state } = /** @type {any} */ (document.querySelector('town-player')).stats;
        return by === 'hls' && state === 'playing' && /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentTime > 1;
      },
      null,
      { timeout: 30_000 },
    );
  } finally {
    voice_.kill();
  }
});
