/** The stage in real Chromium: what hosts do to others, coming and going, the keyboard alone, two microphones, none at all, and a stage that dies. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { focused, given, goOnStage, heard, keepStream, launch, stepOnStage, streamOf, tabTo } from './browser.js';
import { OTHER, SAME, alike, decode, envelope, heardAs } from './hear.js';
import { freePort, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Browser} Browser */
/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {string} */ let speakers;
/** @type {Browser[]} */ const browsers = [];
/** @type {Page} */ let ada;
/** @type {Page} */ let ben;
/** @type {Page} */ let listener;

const status = /** @param {Page} page */ (page) => page.locator('.stage-status');
const onStage = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('list', { name: 'On stage' }).getByRole('listitem').filter({ hasText: name });

before(async () => {
  server = await startServer();
  event = await server.event('Who may speak');
  speakers = (await server.cli('event', 'show', event.id)).speakers;
  browsers.push(await launch(await voice('ada')), await launch(await voice('ben')));
  [ada, ben, listener] = await Promise.all([browsers[0], browsers[1], browsers[1]].map(async (browser) => (await browser.newContext()).newPage()));
  for (const page of [ada, ben]) page.on('dialog', (dialog) => void dialog.accept());
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server?.stop();
});

test('by keyboard alone from the link to speaking, muting and going live', async () => {
  const { keyboard } = ada;
  await ada.goto(event.stage);
  await ada.getByText('This event is recorded.').waitFor();
  await tabTo(ada, 'Your name on stage');
  await keyboard.type('Ada');
  await keyboard.press('Enter');
  await ada.getByRole('button', { name: 'Go backstage' }).waitFor();
  await tabTo(ada, 'Go backstage');
  await keyboard.press('Enter');
  await ada.getByText('Your microphone is on. The stage hears you.').waitFor();
  // The most urgent button has the focus.
  await ada.getByRole('button', { name: 'Mute', exact: true }).and(ada.locator(':focus')).waitFor();
  await keyboard.press('Space');
  await ada.getByText('You are muted. Nobody hears you.').waitFor();
  await keyboard.press('Space');
  await tabTo(ada, 'Go live');
  await keyboard.press('Enter');
  await ada.getByText('Your microphone is on. Everybody hears you.').waitFor();
  await tabTo(ada, 'End event');
  await keyboard.press('Enter');
  await ada.locator('dialog[open]').waitFor();
  assert.equal(await focused(ada), 'Not yet', 'Enter pressed twice ends nothing');
  await keyboard.press('Enter');
  await ada.locator('dialog[open]').waitFor({ state: 'detached' });
  assert.equal((await server.cli('event', 'show', event.id)).phase, 'live');
});

test('a host mutes, who is muted says so and unmutes', async () => {
  await goOnStage(ben, speakers, 'Ben');
  await onStage(ada, 'Ben').waitFor();
  await onStage(ben, 'Ada').waitFor();
  assert.equal(await ben.getByRole('button', { name: 'Remove' }).count(), 0, 'a speaker rules nobody');
  await ada.getByRole('button', { name: 'Mute Ben' }).click();
  await ben.getByText('The host muted you. Nobody hears you.').waitFor();
  await onStage(ada, 'Ben').getByText('muted').waitFor();
  await ben.getByRole('button', { name: 'Unmute' }).click();
  await ben.getByText('Your microphone is on. Everybody hears you.').waitFor();
  await ada.getByRole('button', { name: 'Mute Ben' }).waitFor();
});

test('leaving, coming back under another name, and being removed', async () => {
  await ben.getByRole('button', { name: 'Leave the stage' }).click();
  await onStage(ada, 'Ben').waitFor({ state: 'detached' });
  await ben.getByLabel('Your name on stage').fill('Benjamin');
  await ben.getByRole('button', { name: 'Turn on the microphone' }).click();
  await stepOnStage(ben);
  await onStage(ada, 'Benjamin').waitFor();
  assert.equal(await onStage(ada, 'Ben').count(), 1, 'and is there once');
  await ada.getByLabel('More for Benjamin').click();
  await ada.getByRole('button', { name: 'Remove Benjamin from the stage' }).click();
  await ben.getByRole('link', { name: 'To the event’s page' }).waitFor();
  await ben.getByText('You were removed from the stage.').waitFor();
  await onStage(ada, 'Benjamin').waitFor({ state: 'detached' });
});

test('the other of two microphones is heard at once', async () => {
  const page = await (await browsers[1].newContext()).newPage();
  page.on('dialog', (dialog) => void dialog.accept());
  await page.goto(speakers);
  await page.getByLabel('Your name on stage').fill('Carl');
  await page.getByRole('button', { name: 'Turn on the microphone' }).click();
  const choice = page.getByLabel('Microphone', { exact: true });
  await choice.locator('option').nth(1).waitFor({ state: 'attached' });
  const names = await choice.locator('option').allInnerTexts();
  assert.ok(names.length >= 2, names.join());
  const other = /** @type {string} */ (names.at(-1));
  await choice.selectOption({ label: other });
  await page.getByText('This is heard well.').waitFor();
  assert.equal(await choice.locator('option:checked').innerText(), other);
  await stepOnStage(page);
  await onStage(ada, 'Carl').and(ada.locator('.speaks')).waitFor();
  await page.getByRole('button', { name: 'Leave the stage' }).click();
  await onStage(ada, 'Carl').waitFor({ state: 'detached' });
  await page.context().close();
});

test('a stage that is killed under two speakers has them back by itself', async (t) => {
  // Removed for this event under the key of that tab; a new tab is somebody new.
  ben = await (await browsers[1].newContext()).newPage();
  await goOnStage(ben, speakers, 'Ben');
  await keepStream(listener);
  await listener.goto(event.page);
  await listener.getByRole('button', { name: 'Listen' }).click();
  await heard(listener);
  const spoken = { ada: envelope(await decode(await voice('ada'))), ben: envelope(await decode(await voice('ben'))) };
  for (const muted of [false, true]) {
    if (muted) {
      await ben.getByRole('button', { name: 'Mute', exact: true }).click();
      await ben.getByText('You are muted. Nobody hears you.').waitFor();
    }
    await Promise.all([ada, ben].map(watchStatus));
    const killed = await server.kill('stage');
    const away = await Promise.all([ada, ben].map(backOnStage));
    await onStage(ben, 'Ada').and(ben.locator('.speaks')).waitFor();
    const sound = Date.now() - killed;
    t.diagnostic(`stage killed: consoles back after ${away.map((at) => at - killed).join(' and ')} ms, sound between them after ${sound} ms`);
    for (const page of [ada, ben]) {
      await onStage(page, 'Ada').waitFor();
      await onStage(page, 'Ben').waitFor();
      // Both are there once.
      await page.waitForFunction(() => document.querySelectorAll('[aria-label="On stage"] > li').length === 2);
    }
    await ben.getByText(muted ? 'You are muted. Nobody hears you.' : 'Your microphone is on. Everybody hears you.').waitFor();
    if (!muted) await onStage(ada, 'Ben').and(ada.locator('.speaks')).waitFor();
  }
  // Ada alone is heard in the newest epoch, by who listened all the while.
  const { samples, same } = await heardAs(async () => {
    await given(listener, 70);
    return (await decode(await streamOf(listener))).slice(-16_000 * 11);
  }, spoken.ada);
  const other = alike(envelope(samples), spoken.ben);
  assert.ok(same > SAME && other < OTHER, `Ada is heard: ${same}, Ben: ${other}`);
  await ben.getByRole('button', { name: 'Unmute' }).click();
  await ben.getByText('Your microphone is on. Everybody hears you.').waitFor();
});

test('why there is no microphone is said in words', async () => {
  const refused = await launch(undefined, '--use-fake-ui-for-media-stream=deny');
  const none = await launch(undefined, '--disable-audio-input');
  browsers.push(refused, none);
  const denied = await (await refused.newContext()).newPage();
  await tryMicrophone(denied, event.stage);
  await denied.getByText('The microphone was refused.').waitFor();
  const missing = await (await none.newContext()).newPage();
  // The machine may have one: the browser is told otherwise.
  await missing.addInitScript(() => (MediaDevices.prototype.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'))));
  await tryMicrophone(missing, event.stage);
  await missing.getByText('There is no microphone here.').waitFor();
});

test('without script the stage says what it needs, and how to speak all the same', async () => {
  const page = await (await browsers[0].newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(event.stage);
  await page.getByText('This event is recorded.').waitFor();
  const words = page.locator('town-console p.warn');
  assert.ok(await words.isVisible());
  assert.match(await words.innerText(), /^The stage needs JavaScript and a microphone\./);
  assert.ok((await words.innerText()).includes(event.whip.url), 'from OBS it works without');
  await page.context().close();
});

test('over plain http the page says what is missing before anybody tries', async () => {
  const port = await freePort();
  const plain = await startServer(`http://square.test:${port}`, port);
  try {
    const browser = await launch(undefined, '--host-resolver-rules=MAP square.test 127.0.0.1');
    browsers.push(browser);
    const page = await (await browser.newContext()).newPage();
    const { stage } = await plain.event('In the open');
    assert.ok(stage.startsWith('http://square.test:'), stage);
    await tryMicrophone(page, stage);
    await page.getByText('Browsers give a microphone to pages over https alone').waitFor();
    await page.getByText('this page came without https').waitFor();
  } finally {
    await plain.stop();
  }
});

/**
 * @param {Page} page
 * @param {string} link
 */
async function tryMicrophone(page, link) {
  await page.goto(link);
  await page.getByLabel('Your name on stage').fill('Dora');
  await page.getByRole('button', { name: 'Turn on the microphone' }).click();
}

/** From now on the page keeps when it lost its stage and when it was live again. @param {Page} page */
const watchStatus = (page) =>
  page.evaluate(() => {
    const line = /** @type {HTMLElement} */ (document.querySelector('.stage-status'));
    const seen = { lost: 0, back: 0 };
    Object.assign(globalThis, { seen });
    new MutationObserver(() => {
      const text = line.textContent ?? '';
      if (!seen.lost && text.startsWith('Connection lost')) {
        seen.lost = Date.now();
        // What was lit before says nothing about what is heard after.
        document.querySelectorAll('.speaks').forEach((item) => item.classList.remove('speaks'));
      }
      if (seen.lost && !seen.back && text.startsWith('Live.')) seen.back = Date.now();
    }).observe(line, { childList: true, characterData: true, subtree: true });
  });

/** @param {Page} page @returns {Promise<number>} when it was back */
async function backOnStage(page) {
  await page.waitForFunction(() => /** @type {any} */ (globalThis).seen.back && !document.querySelector('town-console .away'));
  await status(page).filter({ hasText: /^Live\./ }).waitFor();
  return page.evaluate(() => /** @type {any} */ (globalThis).seen.back);
}
