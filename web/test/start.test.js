/** A scheduled event in real browsers: its host says that they are ready, nobody presses "Go live", and who waits hears it begin. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faultsOf, goOnStage, heard, keepStream, launch } from './browser.js';
import { SAME, decode, envelope, heardAs, newest } from './hear.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** Enough for a host to come in and a listener to hear the hold sound before, on most machines. */
const AHEAD_MILLIS = 20_000;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser[]} */ const browsers = [];
/** @type {Page} */ let host;
/** @type {Page} */ let listener;

before(async () => {
  server = await startServer();
  browsers.push(await launch(await voice('ada')), await launch());
  [host, listener] = await Promise.all(browsers.map(async (browser) => (await browser.newContext()).newPage()));
  // What the pages are made of is there already when the time runs.
  for (const page of [host, listener]) await page.goto(server.base);
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server?.stop();
});

test('a scheduled event whose host is ready starts by itself at its second, and who waits hears it', async (t) => {
  const start = Math.ceil((Date.now() + AHEAD_MILLIS) / 1000) * 1000;
  const event = await server.event('At its second', '--start-at', new Date(start).toISOString());
  const faults = [host, listener].map(faultsOf);
  host.on('dialog', (dialog) => void dialog.accept());
  await keepStream(listener);
  await listener.goto(event.page);
  const loaded = await listener.evaluate(() => performance.timeOrigin);
  await listener.getByRole('button', { name: 'Listen' }).click();
  await goOnStage(host, event.stage, 'Ada');
  await host.getByRole('button', { name: 'I am ready' }).click();
  const [row, anyway] = [host.getByRole('list', { name: 'On stage' }).getByText('ready'), host.getByRole('button', { name: 'I am ready all the same' })];
  await row.or(anyway).or(host.locator('town-console[data-phase="live"]')).first().waitFor();
  // A voice that is just then between two rounds is asked about.
  if (await anyway.isVisible()) await anyway.click();
  t.diagnostic(`ready ${start - Date.now()} ms before its second`);
  await host.locator('town-console[data-phase="live"]').waitFor();
  await host.getByText('Your microphone is on. Everybody hears you.').waitFor();
  assert.equal(await host.getByRole('button', { name: 'Go live' }).isVisible(), false);
  await listener.locator('.badge.live').getByText('Live', { exact: true }).waitFor();
  await listener.locator('.player-line').getByText('Ada is speaking').waitFor();
  const journal = await readFile(join(server.data, 'events', event.id, 'journal'), 'utf8');
  const [, at] = /\{"at":(\d+),"begun"/.exec(journal) ?? [];
  assert.ok(Number(at) >= start, `not before its second: ${at} and ${start}`);
  // One stream without a gap, from the doors into the event.
  const { same } = await heardAs(() => newest(listener, 10), envelope(await decode(await voice('ada'))));
  assert.ok(same > SAME, `Ada is heard: ${same}`);
  await heard(listener);
  assert.equal(await listener.evaluate(() => performance.timeOrigin), loaded, 'nobody loaded anything again');
  assert.deepEqual(faults, [[], []]);
});

test('who runs a scheduled event reads when it begins, and what is needed for it', async () => {
  const event = await server.event('In two hours', '--start-at', new Date(Date.now() + 7_200_000).toISOString());
  await goOnStage(host, event.stage, 'Ada');
  await host.getByText(/^Begins .+, by itself when you are ready by then\.$/).waitFor();
  await host.getByRole('button', { name: 'I am ready' }).click();
  const [ready, anyway] = [host.getByText(/^Begins .+, by itself: you are ready\.$/), host.getByRole('button', { name: 'I am ready all the same' })];
  await ready.or(anyway).first().waitFor();
  if (await anyway.isVisible()) await anyway.click();
  await ready.waitFor();
});
