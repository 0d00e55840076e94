/** Private events in real Chromium: who is on the list, who has the link, who has neither, and who is banned from hearing it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { goOnStage, heard, launch } from './browser.js';
import { accessible } from './looks.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;
/** @type {Page} */ let mia;
/** @type {Page} */ let nils;

const fresh = async () => (await browser.newContext()).newPage();
const press = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('button', { name, exact: true }).click();

before(async () => {
  server = await startServer();
  browser = await launch(await voice('ben'));
  mia = await fresh();
  await mia.goto(await server.signInLink('mia', 'member'));
  await mia.getByRole('main').getByRole('button').click();
  await mia.getByRole('button', { name: 'Sign out' }).waitFor();
  event = await server.event('The board meets', '--visibility', 'private', '--guest', 'mia');
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop', '--name', 'Ada'], { stdio: 'ignore' });
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test('who is on the list finds it on their home page and hears it', async () => {
  await mia.goto(server.base);
  await mia.getByRole('link', { name: /The board meets/ }).first().click();
  await mia.getByRole('heading', { level: 1, name: 'The board meets' }).waitFor();
  await press(mia, 'Listen');
  await heard(mia);
  await mia.locator('.player-line').getByText('Ada is speaking').waitFor();
});

test('a stranger gets nothing, and who has the link everything', async () => {
  nils = await fresh();
  await nils.goto(server.base);
  assert.equal(await nils.getByText('The board meets').count(), 0);
  const answer = await nils.goto(`${server.base}/events/${event.id}`);
  assert.equal(answer?.status(), 404);
  await accessible(nils, 'nothing here');
  assert.equal(await nils.getByText('The board meets').count(), 0);
  assert.ok(event.page.includes('/t/'), event.page);
  await nils.goto(event.page);
  await nils.getByRole('heading', { level: 1, name: 'The board meets' }).waitFor();
  await press(nils, 'Listen');
  await heard(nils);
});

test('who is banned hears it no more, neither here nor with the link again', async () => {
  await nils.getByText('Raise your hand', { exact: true }).first().click();
  await nils.getByLabel('Your name on stage').fill('Nils');
  await nils.getByLabel('What about, in a line').fill('The minutes');
  await press(nils, 'Raise your hand');
  const host = await fresh();
  await host.goto(event.stage);
  await host.getByLabel('Your name on stage').fill('Ada');
  await press(host, 'Run the event without a microphone');
  await press(host, 'Admit Nils');
  const link = await nils.getByRole('link', { name: 'Go on stage' }).evaluate((it) => /** @type {HTMLAnchorElement} */ (it).href);
  const stage = await nils.context().newPage();
  await goOnStage(stage, link, 'Nils');
  await host.getByLabel('More for Nils').click();
  await press(host, 'Ban Nils');
  await press(host, 'Ban them');
  await host.getByLabel('More for Nils').waitFor({ state: 'detached' });
  await stage.getByText('A host has excluded you from this event.').waitFor();
  // The tab that listened gets its sound back at other events; here it is refused.
  await nils.locator('.player-line').getByText('A host has excluded you from this event.').waitFor();
  const paused = await nils.evaluate(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).paused);
  assert.ok(paused, 'and silent');
  for (const address of [event.page, link]) {
    const answer = await nils.goto(address);
    assert.equal(answer?.status(), 403, address);
    assert.equal(await nils.locator('town-player').count(), 0);
  }
  await heard(mia);
});
