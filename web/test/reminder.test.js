/** The reminder of an event's page: a notification by the browser that allows it, and what to do where it is refused. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultsOf, launch } from './browser.js';
import { accessible, notTooWide } from './looks.js';
import { startServer } from './server.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('./server.js').Event} */ let event;
/** @type {number} */ let begins;
/** @type {import('playwright-core').BrowserContextOptions['storageState']} */ let member;

const MINUTE_MILLIS = 60_000;

/** An event that begins in so many minutes, and when that is. @param {string} title @param {number} minutes */
async function announced(title, minutes) {
  const at = Math.ceil(Date.now() / 1000) * 1000 + minutes * MINUTE_MILLIS;
  return /** @type {const} */ ([await server.event(title, '--start-at', new Date(at).toISOString()), at]);
}

before(async () => {
  server = await startServer();
  browser = await launch();
  [event, begins] = await announced('The budget', 60);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(await server.signInLink('ada', 'member'));
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  member = await context.storageState();
  await context.close();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/**
 * A member's page whose clock is in the test's hand, in a browser that was told what to answer.
 * @param {'granted' | 'denied' | 'prompt'} setting
 * @param {string} [address]
 */
async function open(setting, address = event.page) {
  const context = await browser.newContext({ storageState: member });
  const page = await context.newPage();
  const debug = await context.newCDPSession(page);
  const { targetInfo } = await debug.send('Target.getTargetInfo');
  await (await browser.newBrowserCDPSession()).send('Browser.setPermission', {
    permission: { name: 'notifications' },
    setting,
    origin: new URL(event.page).origin,
    browserContextId: targetInfo.browserContextId,
  });
  await page.clock.install();
  await page.addInitScript(() => {
    const told = /** @type {{ title: string, body: string, tag: string }[]} */ ([]);
    const Real = Notification;
    Object.assign(globalThis, {
      told,
      Notification: class extends Real {
        /** @param {string} title @param {NotificationOptions} [options] */
        constructor(title, options) {
          super(title, options);
          told.push({ title, body: this.body, tag: this.tag });
        }
      },
    });
  });
  await page.goto(address);
  return page;
}

/** The page's clock goes on to so many minutes before a time, in one step. @param {Page} page @param {number} at @param {number} minutes */
async function goOn(page, at, minutes) {
  const now = await page.evaluate(() => Date.now());
  await page.clock.fastForward(at - minutes * MINUTE_MILLIS - now);
}

/** Asks to be reminded, or takes that back. @param {Page} page @param {'Remind me' | 'Don’t remind me'} wish */
async function wish(page, wish) {
  await page.getByRole('button', { name: wish, exact: true }).click();
  await settled(page);
  await page.getByRole('button', { name: wish === 'Remind me' ? 'Don’t remind me' : 'Remind me', exact: true }).waitFor();
}

/** Waits until a page that took another one's place was looked at: the module that was loaded first answers first. @param {Page} page */
async function settled(page) {
  await page.locator('main:focus').waitFor();
  await page.evaluate(() => import(/** @type {HTMLScriptElement} */ (document.querySelector('script[src$="/square.js"]')).src.replace(/square\.js$/, 'reminder.js')).then(() => null));
}

const told = /** @param {Page} page */ (page) => page.evaluate(() => /** @type {any} */ (globalThis).told);

test('who allowed it is notified ten minutes before the event begins', async () => {
  const page = await open('granted');
  const faults = faultsOf(page);
  await wish(page, 'Remind me');
  assert.equal(await page.locator('.allow').count(), 0, 'there is nothing to allow');
  await goOn(page, begins, 12);
  assert.deepEqual(await told(page), [], 'not yet');
  await goOn(page, begins, 10);
  await page.waitForFunction(() => /** @type {any} */ (globalThis).told.length);
  assert.deepEqual(await told(page), [{ title: 'The budget', body: 'It begins in 10 minutes.', tag: new URL(event.page).pathname }]);
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('who takes the wish back is not notified', async () => {
  const [roof, roofBegins] = await announced('The roof', 60);
  const page = await open('granted', roof.page);
  await wish(page, 'Remind me');
  await wish(page, 'Don’t remind me');
  await goOn(page, roofBegins, 5);
  assert.deepEqual(await told(page), []);
  await page.context().close();
});

test('of a page that was left nobody is notified, but of the one that is shown', async () => {
  const [bridge, bridgeBegins] = await announced('The bridge', 120);
  const [school, schoolBegins] = await announced('The school', 60);
  const page = await open('granted', school.page);
  await wish(page, 'Remind me');
  await page.getByRole('link', { name: 'Townsquare' }).first().click();
  await settled(page);
  await page.getByRole('main').getByRole('link', { name: /The bridge/ }).first().click();
  await page.getByRole('heading', { level: 1, name: 'The bridge' }).waitFor();
  await settled(page);
  await wish(page, 'Remind me');
  await goOn(page, schoolBegins, 5);
  assert.deepEqual(await told(page), [], 'the other page was left');
  // A machine that slept is late, and says how much time is left.
  await goOn(page, bridgeBegins, 7);
  await page.waitForFunction(() => /** @type {any} */ (globalThis).told.length);
  assert.deepEqual(await told(page), [{ title: 'The bridge', body: 'It begins in 7 minutes.', tag: new URL(bridge.page).pathname }]);
  await page.context().close();
});

test('who has not been asked is offered it; who refused is told what to do', async () => {
  const page = await open('prompt');
  const wanted = page.getByRole('button', { name: 'Remind me', exact: true });
  if (await wanted.count()) await wanted.click();
  await page.getByRole('button', { name: 'Tell me in this browser, too' }).waitFor();
  await page.context().close();
  const refused = await open('denied');
  await refused.getByText('This browser blocks notifications from here. Allow them in its settings').waitFor();
  await accessible(refused, 'notifications are blocked');
  await refused.setViewportSize({ width: 390, height: 844 });
  await notTooWide(refused, 'notifications are blocked');
  await goOn(refused, begins, 5);
  assert.deepEqual(await told(refused), []);
  await refused.context().close();
});
