/** A rehearsal from the event's page: how far it is with script and without, its verdict and its report, called back, one at a time. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultsOf, launch } from './browser.js';
import { accessible, looksWell } from './looks.js';
import { startServer } from './server.js';

/** @typedef {import('playwright-core').Page} Page */

/** Longer than a crowd takes to come and to go on a busy machine. */
const timeout = 120_000;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').BrowserContextOptions['storageState']} */ let admin;
/** @type {Page} */ let page;
/** @type {string[]} */ let faults;
let path = '';

before(async () => {
  server = await startServer();
  browser = await launch();
  event = await server.event('Town meeting: the bridge');
  path = `${new URL(event.page).pathname}/rehearsal`;
  const context = await browser.newContext();
  page = await context.newPage();
  faults = faultsOf(page);
  await page.goto(await server.signInLink('ada', 'admin'));
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  admin = await context.storageState();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('who runs an event finds its rehearsal, nobody else does', async () => {
  await page.goto(event.page);
  await page.getByRole('link', { name: 'Rehearse' }).click();
  await page.getByRole('heading', { name: 'Send a crowd' }).waitFor();
  assert.equal(new URL(page.url()).pathname, path);
  const stranger = await (await browser.newContext()).newPage();
  await stranger.goto(event.page);
  await stranger.getByRole('heading', { name: 'Town meeting: the bridge' }).waitFor();
  assert.equal(await stranger.getByRole('link', { name: 'Rehearse' }).count(), 0);
  assert.equal((await stranger.goto(server.base + path))?.status(), 401);
  await stranger.context().close();
});

test('what is too much is said beside the form', async () => {
  // A browser checks before it sends; the server checks what comes.
  await page.locator('form', { hasText: 'Send a crowd' }).evaluate((form) => (/** @type {HTMLFormElement} */ (form).noValidate = true));
  await page.getByLabel('How many listen').fill('20001');
  await page.getByRole('button', { name: 'Rehearse' }).click();
  await page.getByText('A rehearsal has 1 to 20,000 listeners').waitFor();
  assert.equal(await page.getByLabel('How many listen').inputValue(), '20001');
  await accessible(page, 'a crowd that is too large');
});

test('a crowd is seen coming and is called back', async () => {
  await send(page, 30, 300);
  // The same document all the while: the script brings it up to date.
  await page.evaluate(() => Object.assign(globalThis, { mark: true }));
  await page.getByRole('heading', { name: '30 of 30 hear the test sound' }).waitFor({ timeout });
  await page.getByText(/^Everybody listens for \d+ more seconds\./).waitFor({ timeout });
  assert.ok(await page.locator('progress').evaluate((bar) => /** @type {HTMLProgressElement} */ (bar).position >= 0), 'and how many hear is drawn');
  assert.ok(await page.evaluate(() => /** @type {any} */ (globalThis).mark), 'the page was not loaded again');
  await looksWell(page, 'rehearsal-running');
  const other = await (await browser.newContext({ storageState: admin })).newPage();
  const elsewhere = await server.event('Another meeting');
  await other.goto(`${elsewhere.page}/rehearsal`);
  await other.getByText('This server rehearses another event now.').waitFor();
  assert.equal(await other.getByRole('button', { name: 'Rehearse' }).count(), 0);
  await other.context().close();
  await page.getByRole('button', { name: 'Stop the rehearsal' }).click();
  await page.getByRole('heading', { name: 'The last rehearsal was stopped' }).waitFor({ timeout });
  await page.getByRole('heading', { name: 'Send a crowd' }).waitFor();
});

test('a second crowd is refused in words', async () => {
  const late = await (await browser.newContext({ storageState: admin })).newPage();
  await late.goto(server.base + path);
  await late.getByRole('heading', { name: 'Send a crowd' }).waitFor();
  await send(page, 30, 300);
  await page.getByRole('button', { name: 'Stop the rehearsal' }).waitFor();
  const [answer] = await Promise.all([late.waitForResponse((one) => one.request().method() === 'POST'), late.getByRole('button', { name: 'Rehearse' }).click()]);
  assert.equal(answer.status(), 409);
  await late.getByText('A rehearsal is running on this server.').waitFor();
  await late.context().close();
  await page.getByRole('button', { name: 'Stop the rehearsal' }).click();
  await page.getByRole('heading', { name: 'The last rehearsal was stopped' }).waitFor({ timeout });
});

test('the verdict is a sentence, and the report stands in the page', async () => {
  await send(page, 30, 3);
  const verdict = page.getByRole('heading', { name: /30 listeners/ });
  await verdict.waitFor({ timeout });
  const report = page.frameLocator('iframe.report');
  await report.getByRole('heading', { name: /30 listeners/ }).waitFor();
  assert.ok((await report.locator('svg').count()) >= 4, 'with its plots');
  await looksWell(page, 'rehearsal-over');
  assert.equal(await server.cli('event', 'show', event.id).then(({ phase }) => phase), 'announced', 'the event itself is as it was');
  const alone = await page.context().newPage();
  await alone.goto(`${server.base}${path}/report`);
  await alone.getByRole('heading', { name: /30 listeners/ }).waitFor();
  assert.equal(await alone.evaluate(() => globalThis.origin), 'null', 'it belongs to nobody');
  await alone.close();
});

test('without script the page asks again by itself', async () => {
  const context = await browser.newContext({ storageState: admin, javaScriptEnabled: false });
  const bare = await context.newPage();
  await bare.goto(server.base + path);
  await send(bare, 20, 3);
  await bare.getByRole('heading', { name: /20 listeners/ }).waitFor({ timeout });
  await bare.frameLocator('iframe.report').getByRole('heading', { name: /20 listeners/ }).waitFor();
  await send(bare, 20, 300);
  await bare.getByRole('heading', { name: '20 of 20 hear the test sound' }).waitFor({ timeout });
  await bare.getByRole('button', { name: 'Stop the rehearsal' }).click({ timeout });
  await bare.getByRole('heading', { name: 'The last rehearsal was stopped' }).waitFor({ timeout });
  await context.close();
});

test('an event that has begun is not rehearsed', async () => {
  const live = await server.event('Begun already');
  await page.goto(`${live.page}/rehearsal`);
  await page.getByRole('heading', { name: 'Send a crowd' }).waitFor();
  await server.cli('event', 'go-live', live.id);
  await page.getByRole('button', { name: 'Rehearse' }).click();
  await page.getByText('This event has begun.').waitFor();
  await page.goto(live.page);
  await page.getByRole('heading', { name: 'You run this event' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Rehearse' }).count(), 0);
  assert.deepEqual(faults, []);
});

/**
 * @param {Page} on
 * @param {number} listeners
 * @param {number} seconds
 */
async function send(on, listeners, seconds) {
  await on.getByLabel('How many listen').fill(String(listeners));
  await on.getByLabel('For how many seconds').fill(String(seconds));
  await on.getByRole('button', { name: 'Rehearse' }).click();
}
