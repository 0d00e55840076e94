/** LL-HLS as the field's own player sees it: hls.js in Chromium, parts loaded, near the edge, no stall. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { heard, launch, statsOf } from './browser.js';
import { hlsSeen, playHls } from './low-latency.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

const SECONDS = Number(process.env.TOWNSQUARE_HLS_SECONDS ?? 120);

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;
/** @type {Promise<import('./server.js').Event>} */ let longEvent;

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
  const event = await (longEvent = server.event('Listened to over HLS'));
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(server.base);
  await playHls(page, event.listen.hls);
  const from = await hlsSeen(page);
  await page.waitForTimeout(SECONDS * 1000);
  const seen = await hlsSeen(page);
  console.log(`parts ${seen.parts}, segments ${seen.segments}, stalls ${seen.stalls}, hiccups of the machine ${seen.hiccups}, latency p50 ${seen.p50.toFixed(2)} s, p99 ${seen.p99.toFixed(2)} s`);
  assert.deepEqual(seen.fatal, []);
  assert.ok(seen.parts > 0, 'parts were loaded');
  assert.equal(seen.stalls, 0, 'no stall');
  assert.ok(seen.p50 < 3, `latency p50 ${seen.p50} s`);
  assert.ok(seen.at - from.at > SECONDS * 0.9, `${seen.at - from.at} s of sound in ${SECONDS} s`);
});

test('the browser holds a minute of what was heard and no more', async () => {
  const event = await longEvent;
  const page = await (await browser.newContext()).newPage();
  // As if this page had been open for as long as the event has been live.
  await page.route(/from=-1$/, (route) => route.continue({ url: route.request().url().replace('from=-1', 'from=-110') }));
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Listen' }).click();
  const buffered = () =>
    page.evaluate(() => {
      const { buffered: ranges, currentTime } = /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'));
      return { start: ranges.length ? ranges.start(0) : 0, behind: ranges.length ? ranges.end(0) - currentTime : 0, back: ranges.length ? currentTime - ranges.start(0) : 0 };
    });
  await page.waitForFunction(() => {
    const audio = /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'));
    return audio.currentTime > 60 && audio.buffered.length && audio.currentTime - audio.buffered.start(0) < 72;
  }, null, { timeout: 30_000 });
  const first = await buffered();
  assert.ok(first.start > 20 && first.back > 50, JSON.stringify(first));
  await page.waitForFunction((start) => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).buffered.start(0) > start, first.start, { timeout: 45_000 });
  const then = await buffered();
  console.log('kept', first, then);
  assert.ok(then.back > 50 && then.back < 75, JSON.stringify(then));
  assert.equal((await statsOf(page)).gaps, 0);
  await page.context().close();
});

test('the player keeps more in store after a stall, and less again while all is quiet', async () => {
  const event = await longEvent;
  const page = await (await browser.newContext()).newPage();
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Listen' }).click();
  await heard(page);
  const [before, after] = await page.evaluate(() => {
    const margin = () => /** @type {any} */ (document.querySelector('town-player')).stats.margin;
    const first = margin();
    document.querySelector('audio#sound')?.dispatchEvent(new Event('waiting'));
    return [first, margin()];
  });
  assert.ok(before >= 0.3 && after > before, `${before} s, then ${after} s`);
  await page.waitForFunction((from) => /** @type {any} */ (document.querySelector('town-player')).stats.margin < from, after, { timeout: 20_000 });
  const then = Number((await statsOf(page)).margin);
  assert.ok(then > after - 0.02, `slowly: ${after} s, then ${then} s`);
  await page.context().close();
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
