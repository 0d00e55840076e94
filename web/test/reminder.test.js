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
/** @type {import('playwright-core').BrowserContextOptions['storageState']} */ let member;

before(async () => {
  server = await startServer();
  browser = await launch();
  event = await server.event('The budget', '--start-at', new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000).toISOString());
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

/** A member's page whose clock is in the test's hand, in a browser that was told what to answer. @param {'granted' | 'denied' | 'prompt'} setting */
async function open(setting) {
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
    const told = /** @type {{ title: string, body: string }[]} */ ([]);
    const Real = Notification;
    Object.assign(globalThis, {
      told,
      Notification: class extends Real {
        /** @param {string} title @param {NotificationOptions} [options] */
        constructor(title, options) {
          super(title, options);
          told.push({ title, body: this.body });
        }
      },
    });
  });
  await page.goto(event.page);
  return page;
}

const told = /** @param {Page} page */ (page) => page.evaluate(() => /** @type {any} */ (globalThis).told);

test('who allowed it is notified ten minutes before the event begins', async () => {
  const page = await open('granted');
  const faults = faultsOf(page);
  await page.getByRole('button', { name: 'Remind me' }).click();
  await page.getByRole('button', { name: 'Don’t remind me' }).waitFor();
  assert.equal(await page.locator('.allow').count(), 0, 'there is nothing to allow');
  await page.clock.fastForward(49 * 60_000);
  assert.deepEqual(await told(page), [], 'not yet');
  await page.clock.fastForward(60_000);
  await page.waitForFunction(() => /** @type {any} */ (globalThis).told.length);
  assert.deepEqual(await told(page), [{ title: 'The budget', body: 'It begins in ten minutes.' }]);
  assert.deepEqual(faults, []);
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
  await refused.clock.fastForward(51 * 60_000);
  assert.deepEqual(await told(refused), []);
  await refused.context().close();
});
