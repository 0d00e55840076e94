/** Judges that nobody here wrote: how programs of other people's read calendars and feeds, and what pa11y finds on the pages. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
// @ts-expect-error It has no types.
import pa11y from 'pa11y';
import puppeteer from 'puppeteer-core';
import { launch } from './browser.js';
import { binary, startServer, until } from './server.js';
import { voice } from './voice.js';

const PYTHON = process.env.TOWNSQUARE_JUDGES ?? '';
const PATIENCE_MILLIS = 120_000;
const HARD = 'Bread, wine; "salt" & <oil> \\ Ünïcödé – 東京';

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('./server.js').Event} */ let over;
/** @type {import('./server.js').Event} */ let live;
/** The administrator's cookies, as a header. */ let cookie = '';
/** @type {string} */ let clip;
/** @type {import('node:child_process').ChildProcess} */ let speaker;

/**
 * @param {'calendar' | 'feed'} what
 * @param {string} address
 * @returns {Promise<any>}
 */
async function read(what, address) {
  if (!PYTHON) throw new Error('TOWNSQUARE_JUDGES names the Python of the judges: bin/test sets it');
  const bytes = Buffer.from(await (await fetch(address)).arrayBuffer());
  return new Promise((resolve, reject) => {
    const judge = execFile(PYTHON, [fileURLToPath(new URL('judges.py', import.meta.url)), what], (error, stdout) => (error ? reject(error) : resolve(JSON.parse(stdout))));
    judge.stdin?.end(bytes);
  });
}

/** Lets somebody speak until there are as many seconds of them. @param {import('./server.js').Event} event @param {number} seconds */
async function speak(event, seconds) {
  const talks = spawn(binary, ['speak', event.stage, await voice('ada'), '--name', 'Ada Lovelace', '--loop'], { stdio: 'ignore' });
  await until(() => server.cli('event', 'go-live', event.id).catch(() => null), 'the event');
  await until(async () => Number((await fetch(event.listen.stream, { method: 'HEAD' })).headers.get('townsquare-edge')?.split('.')[1] ?? 0) >= seconds * 5, 'sound');
  return talks;
}

before(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  over = await server.event(HARD, '--description', 'One line.\n\nAnother, with https://example.org/x?a=1&b=2.', '--language', 'en', '--record-tracks');
  (await speak(over, 8)).kill();
  await server.cli('event', 'end', over.id);
  live = await server.event('Now');
  speaker = await speak(live, 1);
  const page = await (await browser.newContext()).newPage();
  await page.goto(await server.signInLink('ada', 'admin'));
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  await until(async () => (await fetch(`${over.page}/replay.mp3`)).ok, 'the MP3');
  await page.goto(over.page);
  await page.getByText('Make a clip…').click();
  await page.getByRole('button', { name: 'Make the clip' }).click();
  await page.waitForURL('**/clips/*');
  clip = page.url();
  await page.context().close();
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test('calendar programs read an event and a series as they are, also where clocks change', async () => {
  const one = await server.event(HARD, '--description', 'Zeile; eins\nZeile, zwei', '--start-at', '2030-06-01T18:00:00Z');
  const { events, errors, whole } = await read('calendar', `${one.page}/calendar.ics`);
  assert.deepEqual([errors, whole, events.length], [[], true, 1]);
  const { uid, description, ...rest } = events[0];
  assert.deepEqual(rest, { summary: HARD, url: one.page, start: '2030-06-01T18:00:00+00:00', berlin: '2030-06-01T20:00:00+02:00', minutes: 60, alarms: [-15], errors: [] });
  assert.ok(uid.length > 8 && description === `Zeile; eins\nZeile, zwei\n\n${one.page}`, description);

  await server.event('Council', '--start-at', '2030-09-17T17:00:00Z', '--repeats', 'monthly', '--times', '8', '--zone', 'Europe/Berlin');
  const shown = await (await fetch(server.base)).text();
  const council = /href="(\/events\/[0-9a-z]{12})"[^]*?Council/.exec(shown.slice(shown.lastIndexOf('<li>', shown.indexOf('Council'))))?.[1];
  const series = /\/series\/[0-9a-z]{12}/.exec(await (await fetch(server.base + council)).text())?.[0];
  const again = await read('calendar', `${server.base}${series}/calendar.ics`);
  assert.deepEqual([again.errors, again.whole, again.name], [[], true, 'Council']);
  assert.deepEqual(
    again.events.map((/** @type {{ berlin: string }} */ event) => event.berlin),
    ['2030-09-17', '2030-10-15', '2030-11-19', '2030-12-17', '2031-01-21', '2031-02-18', '2031-03-18', '2031-04-15'].map((day, nth) => `${day}T19:00:00+0${nth > 1 && nth < 7 ? 1 : 2}:00`),
  );
  assert.equal(new Set(again.events.map((/** @type {{ uid: string }} */ event) => event.uid)).size, 8);
  const all = await read('calendar', `${server.base}/calendar.ics`);
  assert.deepEqual([all.errors, all.whole, all.events.length], [[], true, 9]);
});

test('a feed reader reads what was said', async () => {
  const feed = await read('feed', `${server.base}/feeds/events.xml`);
  assert.deepEqual([feed.bozo, feed.why, feed.version], [false, '', 'rss20']);
  const [item] = feed.items;
  assert.deepEqual([feed.items.length, item.title, item.link, item.published], [1, HARD, over.page, true]);
  const [{ href, type, length }] = item.enclosures;
  const sound = await fetch(href, { method: 'HEAD' });
  assert.deepEqual([type, String(length)], ['audio/mpeg', sound.headers.get('content-length')]);
});

test('pa11y finds nothing on any page', async () => {
  const comes = await server.event('What comes', '--start-at', '2030-11-24T18:00:00Z', '--repeats', 'weekly', '--times', '2');
  const series = /\/series\/[0-9a-z]{12}/.exec(await (await fetch(comes.page)).text())?.[0];
  const paths = ['/', '/events/new', String(series), '/help/host', '/help/listening', '/sign-in', `/events/${over.id}/report`, `/events/${over.id}/nothing`, `/events/${live.id}/invites`, `/events/${live.id}/rehearsal`];
  const chromium = await puppeteer.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  const said = [];
  try {
    for (const url of [...paths.map((path) => server.base + path), comes.page, live.page, over.page, clip, live.stage]) {
      const { documentTitle, issues } = await pa11y(url, {
        browser: chromium,
        runners: ['axe', 'htmlcs'],
        standard: 'WCAG2AA',
        timeout: PATIENCE_MILLIS,
        headers: { cookie },
      });
      for (const { code, message, context } of issues) said.push(`${documentTitle} (${url}): ${code}: ${message} ${context}`);
    }
  } finally {
    await chromium.close();
  }
  assert.deepEqual(said, []);
});
