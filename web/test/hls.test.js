/** LL-HLS as the field's own player sees it: hls.js in Chromium, parts loaded, near the edge, no stall. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { heard, launch, statsOf } from './browser.js';
import { punctual } from './hear.js';
import { hlsSeen, playHls } from './low-latency.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

const SECONDS = Number(process.env.TOWNSQUARE_HLS_SECONDS ?? 120);

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;
/** @type {Promise<import('./server.js').Event>} */ let longEvent;

before(async () => {
  // Players that go from one worker to another are for a moment at both: here they are to be counted.
  process.env.TOWNSQUARE_RELAY_WORKERS = '1';
  server = await startServer();
  browser = await launch();
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test(`hls.js plays for ${SECONDS} s with low latency and no stall`, async (t) => {
  const event = await (longEvent = server.event('Listened to over HLS'));
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(server.base);
  await playHls(page, event.listen.hls);
  const late = punctual(event.listen.stream);
  const from = await hlsSeen(page);
  await page.waitForFunction((to) => /** @type {HTMLAudioElement} */ (document.getElementById('hls')).currentTime > to, from.at + SECONDS, { timeout: SECONDS * 2000 });
  const [seen, pauses] = [await hlsSeen(page), await late()];
  t.diagnostic(`${pauses} times the stream itself was late, ${seen.frozen} times the page; parts ${seen.parts}, segments ${seen.segments}, stalls ${seen.stalls}, hiccups of the machine ${seen.hiccups}, latency p50 ${seen.p50.toFixed(2)} s, p99 ${seen.p99.toFixed(2)} s`);
  assert.deepEqual(seen.fatal, []);
  assert.ok(seen.parts > 0, 'parts were loaded');
  assert.ok(seen.stalls <= pauses + seen.frozen, `${seen.stalls} stalls, ${pauses + seen.frozen} of them the machine's`);
  // How far behind it stays is settled when it begins: what that took is on top; and each halt moves it a second further.
  const allowed = 3 + seen.began + seen.stalls + seen.hiccups;
  assert.ok(seen.p50 < allowed, `latency p50 ${seen.p50} s of ${allowed} s`);
  await page.context().close();
});

test('who plays HLS is counted, and no more once the page is closed', async (t) => {
  const event = await longEvent;
  const listener = await (await browser.newContext()).newPage();
  await listener.goto(event.page);
  await listener.getByRole('button', { name: 'Listen' }).click();
  await listener.getByText('1 listening', { exact: true }).waitFor();
  const players = await Promise.all([0, 1].map(async () => (await browser.newContext({ bypassCSP: true })).newPage()));
  for (const page of players) {
    await page.goto(server.base);
    await playHls(page, event.listen.hls);
  }
  const came = Date.now();
  await listener.getByText('3 listening', { exact: true }).waitFor();
  t.diagnostic(`two that play HLS are counted ${Date.now() - came} ms after their sound moves`);
  for (const [left, page] of players.entries()) {
    // Without a word: the browser keeps its idle connections.
    await page.close();
    const gone = Date.now();
    await listener.getByText(`${2 - left} listening`, { exact: true }).waitFor();
    // How long that may take the relay's own tests say, whose clock stands still.
    t.diagnostic(`one that has left is counted no more after ${Date.now() - gone} ms`);
  }
  await listener.context().close();
});

test('the browser holds a minute of what was heard and no more', async (t) => {
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
    // It may begin in the middle of what comes at first, and goes on to its end.
    return audio.buffered.length && audio.buffered.start(0) > 20 && audio.currentTime - audio.buffered.start(0) < 72;
  });
  const first = await buffered();
  assert.ok(first.back > 50, JSON.stringify(first));
  await page.waitForFunction((start) => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).buffered.start(0) > start, first.start);
  const then = await buffered();
  t.diagnostic(`kept behind the place that is heard: ${first.back.toFixed(1)} s, then ${then.back.toFixed(1)} s`);
  assert.ok(then.back > 50 && then.back < 90, JSON.stringify(then));
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
  const step = await page.evaluate(() => new Promise((resolve) => {
    const margin = () => /** @type {any} */ (document.querySelector('town-player')).stats.margin;
    let last = margin();
    setInterval(() => {
      const now = margin();
      if (now < last) resolve(last - now);
      last = now;
    }, 20);
  }));
  assert.ok(step < 0.02, `slowly: ${step} s less`);
  await page.context().close();
});

test('when a proxy swallows the endless stream, the player goes on with HLS', async () => {
  const event = await server.event('Behind a bad proxy');
  const voice_ = spawn(binary, ['speak', event.stage, await voice('ben'), '--loop'], { stdio: 'ignore' });
  try {
    const page = await (await browser.newContext()).newPage();
    await page.route(/\/live\/[^/]+\.mp4/, (route) => (route.request().method() === 'HEAD' ? route.continue() : route.abort()));
    await page.goto(event.page);
    await page.waitForFunction((url) => fetch(url).then((answer) => answer.ok, () => false), event.listen.hls);
    await page.getByRole('button', { name: 'Listen' }).click();
    await page.waitForFunction(
      () => {
        const { by, state } = /** @type {any} */ (document.querySelector('town-player')).stats;
        return by === 'hls' && state === 'playing' && /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentTime > 1;
      },
    );
  } finally {
    voice_.kill();
  }
});
