/** Before an event: a member announces it with a picture, in their own time; its page counts down by the server's clock; it is changed and taken back; a private one asks for its passphrase. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { HtmlValidate } from 'html-validate';
import ogs from 'open-graph-scraper';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faultsOf, hold, launch } from './browser.js';
import { accessible, notTooWide } from './looks.js';
import { binary, results, startServer } from './server.js';
import { voice } from './voice.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('playwright-core').BrowserContextOptions['storageState']} */ let member;

/** A picture drawn by the browser itself. */
const drawn = join(results, 'announce.png');

before(async () => {
  server = await startServer();
  browser = await launch();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(await server.signInLink('bob', 'member'));
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  member = await context.storageState();
  const text = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 600 });
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    for (let i = 0; i < 40; i += 1) {
      pen.fillStyle = `hsl(${160 + i} 40% ${30 + i}%)`;
      pen.fillRect(i * 20, 0, 20, 600);
    }
    return canvas.toDataURL('image/png').split(',')[1];
  });
  await writeFile(drawn, Buffer.from(text, 'base64'));
  await context.close();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a member announces, is told what is wrong, changes and takes back', async () => {
  const context = await browser.newContext({ storageState: member, timezoneId: 'Europe/Berlin' });
  const page = await context.newPage();
  const faults = faultsOf(page);
  await page.goto(`${server.base}/events/new`);
  await page.getByLabel('Title').fill('The bridge');
  await page.getByLabel('What it is about').fill('First paragraph.\n\nSee https://example.org/plan for the plan.');
  await page.getByLabel('Language').fill('de_DE');
  await page.getByLabel('Picture').setInputFiles(drawn);
  await page.getByLabel(/^Begins/).fill('2030-06-01T18:00');
  await page.getByText('How it goes on air').click();
  await page.getByLabel('Record every speaker').check();
  await page.getByRole('button', { name: 'Open the event' }).click();
  const wrong = page.getByLabel('Language');
  await page.getByText('This is no language.').waitFor();
  assert.ok(await wrong.evaluate((field) => field === document.activeElement), 'the focus is on what is wrong');
  assert.equal(await page.getByLabel(/^Begins/).inputValue(), '2030-06-01T18:00', 'what was typed is there');
  await wrong.fill('de');
  await page.getByLabel('Picture').setInputFiles(drawn);
  for (const direction of ['ltr', 'rtl']) {
    await page.evaluate((dir) => (document.documentElement.dir = dir), direction);
    await accessible(page, `form ${direction}`);
    await notTooWide(page, `form ${direction}`);
  }
  await page.evaluate(() => (document.documentElement.dir = ''));
  await page.getByRole('button', { name: 'Open the event' }).click();
  await page.getByRole('heading', { level: 1, name: 'The bridge' }).waitFor();
  assert.equal(await page.locator('h1').getAttribute('lang'), 'de');
  assert.equal(await page.locator('time[data-countdown]').getAttribute('datetime'), '2030-06-01T16:00:00Z', 'typed in Berlin');
  await page.locator('.prose a[href="https://example.org/plan"]').waitFor();
  await page.getByText('recorded on a track of their own').waitFor();
  await page.waitForFunction(() => /** @type {HTMLImageElement | null} */ (document.querySelector('img.picture'))?.naturalWidth === 800);
  await accessible(page, 'the page');
  await page.screenshot({ path: join(results, 'announce-event.png'), fullPage: true });
  // What is in the head is for who asks for the page, not for who comes from another.
  await page.reload();
  const card = await page.locator('meta[property="og:image"]').getAttribute('content');
  const image = await fetch(String(card));
  assert.deepEqual([image.status, image.headers.get('content-type')], [200, 'image/png']);
  const file = await page.request.get(String(await page.getByRole('link', { name: 'Into my calendar' }).evaluate((link) => /** @type {HTMLAnchorElement} */ (link).href)));
  assert.match(await file.text(), /DTSTART:20300601T160000Z/);
  await page.goto(server.base);
  await page.locator('.events img').waitFor();
  await page.screenshot({ path: join(results, 'announce-home.png'), fullPage: true });
  await page.getByRole('link', { name: 'The bridge' }).click();
  await page.getByRole('link', { name: 'Change the event' }).click();
  assert.equal(await page.getByLabel(/^Begins/).inputValue(), '2030-06-01T18:00');
  await page.getByLabel('No picture any more').check();
  await page.getByLabel('Title').fill('The old bridge');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: 'The old bridge' }).waitFor();
  assert.equal(await page.locator('img.picture').count(), 0);
  await page.reload();
  const words = await fetch(String(await page.locator('meta[property="og:image"]').getAttribute('content')));
  await writeFile(join(results, 'announce-card.png'), Buffer.from(await words.arrayBuffer()));
  assert.equal(words.status, 200);
  await page.getByRole('link', { name: 'Change the event' }).click();
  await page.getByText('Delete the event…').click();
  await page.getByRole('button', { name: 'Delete the event' }).click();
  await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
  assert.equal(await page.getByText('The old bridge').count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test('an unlisted event for who is invited is found by its address alone, offers no hand, and is opened once', async () => {
  const listed = await server.event('On the square');
  const context = await browser.newContext({ storageState: member });
  const host = await context.newPage();
  await host.goto(`${server.base}/events/new`);
  await host.getByLabel('Title').fill('Behind the hill');
  await host.getByLabel('Whoever has its address').check();
  await host.getByLabel('Who is invited, nobody else').check();
  const { sent, release } = await hold(host, /\/events$/);
  const open = host.getByRole('button', { name: 'Open the event' });
  await open.dblclick();
  await host.waitForFunction(() => /** @type {HTMLButtonElement} */ (document.querySelector('main form .cluster button')).disabled);
  await host.getByLabel('Title').press('Enter');
  await release();
  await host.getByRole('heading', { level: 1, name: 'Behind the hill' }).waitFor();
  assert.equal(sent.length, 1, 'sent once');
  const address = host.url();
  const stage = await host.getByLabel('For hosts').inputValue();
  const speakers = await Promise.all([listed.stage, stage].map(async (link) => spawn(binary, ['speak', link, await voice('ada'), '--loop', '--backstage'], { stdio: 'ignore' })));
  const stranger = await (await browser.newContext()).newPage();
  try {
    for (const badge of ['Announced', 'Live']) {
      await stranger.goto(server.base);
      await stranger.getByRole('link', { name: /On the square/ }).first().waitFor();
      assert.equal(await stranger.getByText('Behind the hill').count(), 0, `not on the front page: ${badge}`);
      for (const path of ['/calendar.ics', '/feeds/events.xml']) assert.doesNotMatch(await (await fetch(server.base + path)).text(), /Behind the hill/, path);
      await stranger.goto(listed.page);
      await stranger.getByText('Raise your hand', { exact: true }).first().waitFor();
      await stranger.goto(address);
      await stranger.getByRole('heading', { level: 1, name: 'Behind the hill' }).waitFor();
      await stranger.locator('.eyebrow', { hasText: badge }).waitFor();
      await stranger.getByText('Ask a question').waitFor();
      assert.equal(await stranger.getByText('Raise your hand').count(), 0, `no hand is offered: ${badge}`);
      const hand = await fetch(`${server.base}/api/townsquare/v1${new URL(address).pathname}/hand`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"name":"Eve","topic":"The hill"}' });
      assert.equal((await hand.json()).code, 'hands-closed');
      if (badge === 'Live') break;
      await host.goto(stage);
      await host.getByLabel('Your name on stage').fill('Bob');
      await host.getByRole('button', { name: 'Run the event without a microphone' }).click();
      await host.getByText('Only who was invited speaks at this event: nobody can raise a hand.').waitFor();
      for (const link of [address, listed.page]) await server.cli('event', 'go-live', link.split('/').pop() ?? '');
      await host.locator('town-console[data-phase="live"]').waitFor();
    }
  } finally {
    for (const speaker of speakers) speaker.kill();
    for (const page of [host, stranger]) await page.context().close();
  }
});

test('judges that nobody here wrote find nothing wrong with pages and previews', async () => {
  const event = await server.event('Bread & <salt>', '--description', 'See https://example.org/x.', '--start-at', '2030-06-01T18:00:00Z', '--repeats', 'weekly', '--times', '2');
  const shown = await (await fetch(event.page)).text();
  const series = /\/series\/[0-9a-z]{12}/.exec(shown)?.[0];
  // What is left to taste is ours: the case of the doctype, and types that are the default anyway.
  const judge = new HtmlValidate({
    extends: ['html-validate:recommended'],
    rules: { 'doctype-style': 'off', 'no-implicit-input-type': 'off', 'no-implicit-button-type': 'off', 'no-trailing-whitespace': 'off' },
  });
  const browsing = await browser.newContext({ storageState: member });
  for (const path of ['/', `/events/${event.id}`, `/events/${event.id}/nothing`, String(series), '/events/new', '/sign-in']) {
    const html = await (await browsing.request.get(server.base + path)).text();
    const { results: found } = await judge.validateString(html);
    assert.deepEqual(found.flatMap(({ messages }) => messages.map(({ line, ruleId, message }) => `${path}:${line} ${ruleId}: ${message}`)), [], path);
  }
  await browsing.close();
  const { error, result } = await ogs({ html: shown });
  assert.ok(!error);
  assert.deepEqual([result.ogTitle, result.ogUrl, result.twitterCard], ['Bread & <salt>', event.page, 'summary_large_image']);
  assert.equal(result.ogDescription, 'Begins 1 June 2030, 18:00 UTC. See https://example.org/x.');
  assert.deepEqual([result.ogImage?.[0].width, result.ogImage?.[0].height, result.ogImage?.[0].type], ['1200', '630', 'image/png']);
});

test('without script a member announces a series all the same', async () => {
  const context = await browser.newContext({ storageState: member, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${server.base}/events/new`);
  await page.getByLabel('Title').fill('Council');
  await page.getByLabel('Picture').setInputFiles(drawn);
  await page.getByLabel(/^Begins/).fill('2030-06-04T18:00');
  await page.getByText('It comes again…').click();
  await page.getByLabel('How often').selectOption('weekly');
  await page.getByLabel('How many times').fill('3');
  await page.getByRole('button', { name: 'Open the event' }).click();
  await page.locator('time', { hasText: '4 June 2030, 18:00 UTC' }).waitFor();
  await page.locator('img.picture').waitFor();
  await page.getByRole('link', { name: 'It comes every week' }).click();
  assert.equal(await page.locator('.events li').count(), 3);
  await context.close();
});

test('the countdown runs on the server’s clock, whatever the visitor’s says', async () => {
  const event = await server.event('Soon', '--start-at', new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_000_000).toISOString());
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    const skew = 3 * 3_600_000;
    const RealDate = Date;
    const now = RealDate.now.bind(RealDate);
    Date.now = () => now() + skew;
    Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + skew });
  });
  await page.goto(event.page);
  await page.locator('.countdown').getByText(/in (49|50) minutes/).waitFor();
  await page.context().close();
});

test('a member asks to be reminded', async () => {
  const event = await server.event('In a moment', '--start-at', new Date(Date.now() + 600_000).toISOString());
  const context = await browser.newContext({ storageState: member });
  const page = await context.newPage();
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Remind me' }).click();
  await page.getByRole('button', { name: 'Don’t remind me' }).waitFor();
  await page.goto(server.base);
  await page.locator('.notice').getByRole('link', { name: 'In a moment' }).waitFor();
  await page.locator('.notice .countdown').getByText(/in (9:|10 )/).waitFor();
  await accessible(page, 'home');
  await context.close();
});

test('a private event asks for its passphrase and says nothing before', async () => {
  const event = await server.event('The board', '--visibility', 'private', '--passphrase', 'the old bridge');
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server.base}/events/${event.id}`);
  await page.getByRole('heading', { name: 'A private event' }).waitFor();
  assert.equal(await page.getByText('The board').count(), 0);
  await accessible(page, 'the door');
  await page.getByLabel('Passphrase').fill('the new bridge');
  await page.getByRole('button', { name: 'Go in' }).click();
  await page.getByText('That is not the passphrase.').waitFor();
  await page.getByLabel('Passphrase').fill('the old bridge');
  await page.getByRole('button', { name: 'Go in' }).click();
  await page.getByRole('heading', { level: 1, name: 'The board' }).waitFor();
  await page.context().close();
});
