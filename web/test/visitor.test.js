/** What a page does for its visitor: times in their own zone, a countdown, a start typed in their own time, coming back to a page that was kept. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { faultsOf, heard, launch, statsOf } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

const ZONE = 'America/New_York';

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('an announced event begins in the visitor’s time, and counts down', async () => {
  const at = new Date(Math.ceil(Date.now() / 1000) * 1000 + 300_000);
  const event = await server.event('Soon', '--start-at', at.toISOString());
  const page = await (await browser.newContext({ timezoneId: ZONE, locale: 'en-US' })).newPage();
  const faults = faultsOf(page);
  await page.goto(event.page);
  const time = page.locator('time[data-countdown]');
  const local = await page.evaluate((iso) => new Date(iso).toLocaleString('en', { dateStyle: 'full', timeStyle: 'short' }), at.toISOString());
  assert.equal(await time.innerText(), local);
  assert.match(String(await time.getAttribute('title')), /UTC/);
  assert.match(await page.locator('.lede').innerText(), /^Begins .+ [AP]M (· )?in [45]:\d\d$/);
  const until = page.locator('.countdown');
  const first = await until.innerText();
  assert.match(first, /^(· )?in [45]:\d\d$/);
  await page.waitForFunction((text) => document.querySelector('.countdown')?.textContent && !text.endsWith(document.querySelector('.countdown')?.textContent ?? ''), first);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('times are written as where the visitor is, and hours are hours', async () => {
  const event = await server.event('At nine', '--start-at', '2030-11-21T21:51:00Z');
  const soon = await server.event('In two hours', '--start-at', new Date(Date.now() + 116 * 60_000).toISOString());
  const written = [
    ['en-US', 'Thursday, November 21, 2030 at 9:51 PM'],
    ['en-GB', 'Thursday 21 November 2030 at 21:51'],
    ['de-DE', 'Thursday 21 November 2030 at 21:51'],
  ];
  for (const [locale, text] of written) {
    const page = await (await browser.newContext({ timezoneId: 'UTC', locale })).newPage();
    await page.goto(event.page);
    const time = page.locator('time[data-countdown]');
    await page.locator('.countdown').waitFor();
    // Engines differ in the comma and in the space.
    assert.equal((await time.innerText()).replace(/\u202f/g, ' ').replace('Thursday, 21', 'Thursday 21'), text, locale);
    await page.goto(soon.page);
    await page.locator('.countdown').waitFor();
    assert.match(await page.locator('.countdown').innerText(), /in 1 h 5\d min$/);
    await page.context().close();
  }
});

test('a start is typed in the visitor’s time, without script in UTC', async () => {
  const link = await server.signInLink('ada', 'admin');
  const context = await browser.newContext({ timezoneId: ZONE });
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await page.goto(`${server.base}/events/new`);
  await page.getByText(`in your time (${ZONE})`).waitFor();
  const begins = page.getByLabel(/^Begins/);
  await page.getByLabel('Title').fill('Too late');
  await begins.fill('1999-06-01T10:00');
  assert.ok(await begins.evaluate((/** @type {HTMLInputElement} */ input) => input.validity.rangeUnderflow), 'the browser says so itself');
  const hours = await begins.evaluate((/** @type {HTMLInputElement} */ input) => (Date.now() - new Date(input.min).getTime()) / 3_600_000);
  assert.equal(Math.round(hours), 1, 'an hour late, in their own time');
  await page.locator('main form').evaluate((/** @type {HTMLFormElement} */ form) => (form.noValidate = true));
  await page.getByRole('button', { name: 'Open the event' }).click();
  await page.getByText('This time has passed. Name one that is to come, or none.').waitFor();
  assert.equal(await begins.inputValue(), '1999-06-01T10:00');
  await page.getByLabel('Title').fill('Across the sea');
  await page.getByLabel(/^Begins/).fill('2030-06-01T10:00');
  await page.getByRole('button', { name: 'Open the event' }).click();
  await page.locator('time[datetime="2030-06-01T14:00:00Z"]').waitFor();
  const bare = await (await browser.newContext({ timezoneId: ZONE, javaScriptEnabled: false, storageState: await context.storageState() })).newPage();
  await bare.goto(`${server.base}/events/new`);
  await bare.getByText('in UTC').waitFor();
  await bare.getByLabel('Title').fill('At noon in Greenwich');
  await bare.getByLabel(/^Begins/).fill('2030-06-01T10:00');
  await bare.getByRole('button', { name: 'Open the event' }).click();
  await bare.locator('time[datetime="2030-06-01T10:00:00Z"]').waitFor();
  await bare.context().close();
  await context.close();
});

test('the page says that the event is live once it is, to who waits and to who looks on, and the sound goes on', async () => {
  const event = await server.event('It begins');
  // A context each: tabs of one take the sound from one another.
  const pages = await Promise.all(['waits', 'looks on', 'is cut off'].map(async () => (await browser.newContext()).newPage()));
  const [waiting, looking, cut] = pages;
  const faults = [waiting, looking].map(faultsOf);
  await Promise.all(pages.map((page) => page.goto(event.page)));
  for (const page of pages) await page.getByText('It has not begun yet.').waitFor();
  for (const page of [waiting, cut]) {
    await page.getByRole('button', { name: 'Listen' }).click();
    await page.locator('.player-line').getByText('Waiting for the event.').waitFor();
  }
  const failed = cut.waitForEvent('requestfailed', (request) => request.url() === event.page);
  await cut.route(event.page, (route) => route.abort());
  const speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  try {
    for (const page of [waiting, looking]) {
      await page.locator('.badge.live').waitFor();
      assert.equal(await page.getByText('It has not begun yet.').count(), 0);
    }
    await heard(waiting);
    assert.equal(await waiting.evaluate(() => document.activeElement?.textContent), 'Stop', 'the button that had the focus has it');
    // A page that can't be had takes nothing away.
    await failed;
    await heard(cut);
    await cut.getByText('It has not begun yet.').waitFor();
    await cut.unroute(event.page);
    await cut.locator('.badge.live').waitFor();
    await heard(cut);
    assert.deepEqual(faults, [[], []]);
  } finally {
    speaker.kill();
    await Promise.all(pages.map((page) => page.context().close()));
  }
});

test('who waits asks seldom, and hears the event begin all the same', async (t) => {
  const event = await server.event('Not yet');
  const page = await (await browser.newContext()).newPage();
  /** @type {{ at: number, waits: boolean }[]} */
  const asked = [];
  page.on('request', (request) => request.url().startsWith(event.listen.stream) && asked.push({ at: Date.now(), waits: request.url().includes('wait=1') }));
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Listen' }).click();
  await page.locator('.player-line').getByText('Waiting for the event.').waitFor();
  // The first is answered at once; then one is held for as long as a relay holds it, whatever else is looked at meanwhile.
  while (asked.length < 2) await page.waitForEvent('request');
  for (let i = 0; i < 5; i += 1) {
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));
  }
  while (asked.length < 3) await page.waitForEvent('request');
  t.diagnostic(`a waiting listener asks ${asked.map(({ at }) => at - asked[0].at).join(', ')} ms after the first`);
  assert.deepEqual(asked.map(({ waits }) => waits), [false, true, true]);
  assert.ok(asked[2].at - asked[1].at > 20_000, 'held');
  const speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  try {
    await heard(page);
    await page.locator('.player-line').getByText('is speaking').waitFor();
    assert.equal((await statsOf(page)).by, 'stream');
  } finally {
    speaker.kill();
    await page.context().close();
  }
});

test('who waits for the doors reads that they are open once they are', async () => {
  const event = await server.event('Doors soon', '--start-at', new Date(Date.now() + 15 * 60_000 + 10_000).toISOString());
  const page = await (await browser.newContext()).newPage();
  await page.goto(event.page);
  await page.getByText('Whoever comes then hears the hold sound').waitFor();
  await page.getByRole('button', { name: 'Listen' }).click();
  await page.locator('.player-line').getByText('The doors are open. You hear the hold sound').waitFor();
  await page.locator('.badge', { hasText: 'Doors open' }).waitFor();
  assert.equal(await page.getByText('Whoever comes then hears the hold sound').count(), 0);
  await heard(page);
  await page.context().close();
});

test('a page that the browser kept is live again when the visitor comes back to it', async (t) => {
  const event = await server.event('Come back');
  const speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  try {
    const page = await (await browser.newContext()).newPage();
    const faults = faultsOf(page);
    await page.goto(event.page);
    await page.getByRole('button', { name: 'Listen' }).click();
    await heard(page);
    let [before, back] = [await statsOf(page), 0];
    // Which pages it keeps is the browser's choice: one that was slow to stop is none of them.
    for (let visit = 1, kept = false; !kept; visit += 1) {
      assert.ok(visit <= 5, 'the browser keeps the page');
      await page.evaluate(() => {
        Object.assign(globalThis, { came: /** @type {boolean[]} */ ([]) });
        addEventListener('pageshow', (shown) => /** @type {any} */ (globalThis).came.push(shown.persisted));
      });
      before = await statsOf(page);
      await page.goto('about:blank');
      await page.goBack({ waitUntil: 'commit' });
      back = Date.now();
      const came = await page.waitForFunction(() => {
        const { came } = /** @type {any} */ (globalThis);
        return !came ? [false] : came.length ? came : null;
      });
      [kept] = await came.jsonValue();
    }
    await heard(page);
    t.diagnostic(`heard ${Date.now() - back} ms after the back button, from a kept page`);
    await page.locator('town-player[data-state="playing"]').waitFor();
    await page.waitForFunction(
      (fragments) => {
        const { stats } = /** @type {any} */ (document.querySelector('town-player'));
        return stats.fragments > fragments && stats.behind < 3;
      },
      before.fragments,
    );
    assert.deepEqual(faults, []);
    await page.context().close();
  } finally {
    speaker.kill();
  }
});
