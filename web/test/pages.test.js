/** Every page: without violations of accessibility in light, dark and right to left; small; seen at two widths; links that a GET doesn't spend. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { faultsOf, goOnStage, launch } from './browser.js';
import { accessible, fitsLarge, looksWell, notTooWide } from './looks.js';
import { results, startServer } from './server.js';
import { voice } from './voice.js';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const PAGE_BYTES_MAX = 14 * 1024;
const PLAYER_BYTES_MAX = 12 * 1024;
const SCRIPT_BYTES_MAX = 60 * 1024;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('./server.js').Event} */ let event;
/** @type {[string, string][]} */ let pages;
/** @type {import('playwright-core').BrowserContextOptions['storageState']} */ let admin;

before(async () => {
  server = await startServer();
  browser = await launch(await voice('ada'));
  event = await server.event('Town meeting: the bridge, the school and the water');
  await server.event('Budget hearing', '--start-at', '2030-11-24T18:00:00Z');
  const link = await server.signInLink('ada', 'admin');
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  admin = await context.storageState();
  await context.close();
  pages = [
    ['home', '/'],
    ['event', new URL(event.page).pathname],
    ['stage', new URL(event.stage).pathname],
    ['sign-in', '/sign-in'],
    ['sign-in-link', new URL(await server.signInLink('bob', 'member')).pathname],
    ['event-new', '/events/new'],
    ['rehearsal', `${new URL(event.page).pathname}/rehearsal`],
    ['missing', '/nowhere'],
  ];
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const scheme of /** @type {const} */ (['light', 'dark'])) {
  for (const width of [390, 1280]) {
    test(`pages at ${width} px, ${scheme}`, async () => {
      const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme: scheme, storageState: admin, bypassCSP: false });
      const page = await context.newPage();
      const faults = faultsOf(page);
      for (const [name, path] of pages) {
        await page.goto(server.base + path);
        await page.waitForLoadState('networkidle');
        await page.screenshot({ path: join(results, `${name}-${width}-${scheme}.png`), fullPage: true });
        for (const direction of ['ltr', 'rtl']) {
          await page.evaluate((dir) => (document.documentElement.dir = dir), direction);
          await accessible(page, `${name} ${width} ${scheme} ${direction}`);
          await notTooWide(page, `${name} ${width} ${direction}`);
        }
        await page.screenshot({ path: join(results, `${name}-${width}-${scheme}-rtl.png`), fullPage: true });
      }
      assert.deepEqual(faults, []);
      await context.close();
    });
  }
}

test('words without end and large text fit, and Arabic runs its own way', async () => {
  const endless = await server.event('W'.repeat(120), '--start-at', '2030-11-24T18:00:00Z');
  const arabic = await server.event('اجتماع البلدة 🎉');
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(await server.signInLink('W'.repeat(30), 'admin'));
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  /** @type {[string, string][]} */
  const long = ['home', 'event-new', 'missing', 'sign-in'].map((name) => [name, server.base + pages.find(([of]) => of === name)?.[1]]);
  long.push(['event', endless.page], ['stage', endless.stage], ['rehearsal', `${server.base}/events/${endless.id}/rehearsal`], ['arabic', arabic.page]);
  for (const [name, address] of long) {
    await page.goto(address);
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 844 });
      await page.screenshot({ path: join(results, `endless-${name}-${width}.png`), fullPage: true });
      await notTooWide(page, `${name} ${width}`);
    }
    await fitsLarge(page, `endless-${name}`);
  }
  const way = /** @param {string} selector */ (selector) => page.locator(selector).evaluate((element) => getComputedStyle(element).direction);
  assert.equal(await way('h1'), 'rtl');
  await page.goto(server.base);
  assert.deepEqual(await Promise.all([arabic, endless].map(({ id }) => way(`.events a[href="/events/${id}"] strong`))), ['rtl', 'ltr']);
  await context.close();
});

test('who is not signed in is led to where they can', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${server.base}/events/new`);
  await page.getByRole('heading', { name: 'Sign in first' }).waitFor();
  await looksWell(page, 'not-signed-in');
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  await page.context().close();
});

test('the console from sound check to stage', async () => {
  for (const scheme of /** @type {const} */ (['light', 'dark'])) {
    for (const width of [390, 1280]) {
      const context = await browser.newContext({ viewport: { width, height: 844 }, colorScheme: scheme });
      const page = await context.newPage();
      await page.goto(event.stage);
      await page.getByLabel('Your name on stage').fill('Ada Lovelace');
      await page.getByText('This event is recorded.').waitFor();
      await page.getByRole('button', { name: 'Turn on the microphone' }).click();
      await page.getByText('This is heard well.').waitFor();
      await page.screenshot({ path: join(results, `check-${width}-${scheme}.png`), fullPage: true });
      await accessible(page, `check ${width} ${scheme}`);
      await page.getByRole('button', { name: 'Go backstage' }).click();
      await page.getByText('Backstage.').waitFor();
      await page.getByRole('list', { name: 'On stage' }).getByText('Ada Lovelace (you)').waitFor();
      await page.screenshot({ path: join(results, `on-stage-${width}-${scheme}.png`), fullPage: true });
      await accessible(page, `on stage ${width} ${scheme}`);
      await page.getByRole('button', { name: 'Leave the stage' }).click();
      await page.getByRole('button', { name: 'Turn on the microphone' }).waitFor();
      await context.close();
    }
  }
});

test('the listener’s page while it plays, and the replay', async () => {
  const live = await server.event('Town meeting: what the bridge costs');
  const { speakers } = await server.cli('event', 'show', live.id);
  const second = await launch(await voice('ben'));
  try {
    const [ada, ben] = await Promise.all([browser, second].map(async (one) => (await one.newContext()).newPage()));
    await goOnStage(ada, live.stage, 'Ada Lovelace');
    await ada.getByRole('button', { name: 'Go live' }).click();
    await goOnStage(ben, speakers, `Ben Okri ${'W'.repeat(31)}`);
    await ben.getByRole('button', { name: 'Mute', exact: true }).click();
    await everyWay('live', live.page, async (page) => {
      await page.getByRole('button', { name: 'Listen' }).click();
      await page.locator('.player-line', { hasText: 'Ada Lovelace is speaking' }).waitFor();
      await page.getByText('1 listening').or(page.getByText('2 listening')).waitFor();
      await page.getByRole('list', { name: 'On stage' }).locator('bdi').getByText('Ben Okri').waitFor();
      await page.locator('.player-line > bdi').getByText('Ada Lovelace', { exact: true }).waitFor();
    });
    await everyWay('on-the-air', live.stage, async (page) => {
      await goOnStage(page, live.stage, 'Cleo');
      await page.getByText('Live.').waitFor();
      await page.getByRole('button', { name: 'Mute Ada Lovelace' }).waitFor();
    });
    await server.cli('event', 'end', live.id);
    await everyWay('replay', live.page, async (page) => {
      await page.getByRole('button', { name: 'Play' }).click();
      await page.locator('town-replay[data-state="playing"]').waitFor();
    });
    await everyWay('stage-over', live.stage, (page) => page.getByText('This event is over.').waitFor());
    await everyWay('forged', `${server.base}/stage/forged`, (page) => page.getByRole('heading', { name: 'This link does not work' }).waitFor());
    await everyWay('spent', `${server.base}/sign-in/forged`, (page) => page.getByRole('heading').waitFor());
  } finally {
    await second.close();
  }
});

test('a one-time link is not spent by looking at it', async () => {
  const link = await server.signInLink('carl', 'member');
  for (let i = 0; i < 3; i += 1) assert.equal((await fetch(link)).status, 200);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await context.close();
  assert.equal((await fetch(link)).status, 410);
});

test('pages and scripts are small', async (t) => {
  const size = /** @param {string | Uint8Array} bytes */ (bytes) => gzipSync(bytes, { level: 6 }).length;
  const styles = (await Promise.all(['css/tokens.css', 'css/base.css', 'css/square.css', 'css/live.css', 'icons/square.svg'].map((file) => readFile(join(WEB, file))))).reduce((sum, bytes) => sum + size(bytes), 0);
  const context = await browser.newContext({ storageState: admin });
  for (const [name, path] of pages) {
    const page = size(await (await context.request.get(server.base + path)).body()) + styles;
    assert.ok(page <= PAGE_BYTES_MAX, `${name}: ${page} bytes with its styles`);
  }
  await context.close();
  const scripts = new Map();
  for (const file of [...(await readdir(join(WEB, 'js'))).map((name) => `js/${name}`), 'vendor/swup/Swup.umd.js']) {
    if (file.endsWith('.js')) scripts.set(file, size(await readFile(join(WEB, file))));
  }
  const sum = /** @param {string[]} files */ (files) => files.reduce((total, file) => total + scripts.get(file), 0);
  const player = sum(['player', 'programme', 'boxes', 'sound', 'words'].map((name) => `js/${name}.js`));
  t.diagnostic(`styles ${styles}, player ${player}, all scripts ${sum([...scripts.keys()])} bytes`);
  assert.ok(player <= PLAYER_BYTES_MAX, `player: ${player} bytes`);
  assert.ok(sum([...scripts.keys()]) <= SCRIPT_BYTES_MAX, `all scripts: ${sum([...scripts.keys()])} bytes`);
});

/**
 * Brings a page into a state and looks at it in every way.
 * @param {string} name
 * @param {string} url
 * @param {(page: import('playwright-core').Page) => Promise<unknown>} ready
 */
async function everyWay(name, url, ready) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const faults = faultsOf(page);
  await page.goto(url);
  await ready(page);
  await looksWell(page, name);
  assert.deepEqual(faults, []);
  await context.close();
}
