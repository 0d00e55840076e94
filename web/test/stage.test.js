/** A whole stage in real Chromium: invites, backstage, going live, and everything that who rules does to the others and they to themselves. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faultsOf, goOnStage, heard, launch, order, readOut } from './browser.js';
import { accessible, fitsLarge, notTooWide } from './looks.js';
import { results, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Browser} Browser */
/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {Browser} */ let first;
/** @type {Browser} */ let second;
/** @type {Page} */ let admin;
/** @type {Page} */ let ada;
/** @type {Page} */ let ben;
/** @type {Page} */ let cara;
/** @type {Page} */ let dan;
/** @type {Record<string, string>} */ const links = {};
/** @type {string[]} */ let faults = [];

const inList = /** @param {Page} page @param {string} list @param {string} name */ (page, list, name) => page.getByRole('list', { name: list, exact: true }).getByRole('listitem').filter({ hasText: name });
const press = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('button', { name, exact: true }).click();
const says = /** @param {Page} page @param {string | RegExp} text */ (page, text) => page.getByText(text).first().waitFor();
const unfold = /** @param {Page} page @param {string} name */ (page, name) => page.getByText(name, { exact: true }).click();

/** @param {Browser} browser */
async function fresh(browser) {
  const page = await (await browser.newContext()).newPage();
  page.on('dialog', (dialog) => void dialog.accept());
  return page;
}

/** Up to the room behind the stage. @param {Page} page @param {string} link @param {string} [name] */
async function goBackstage(page, link, name) {
  await page.goto(link);
  if (name) await page.getByLabel('Your name on stage').fill(name);
  await press(page, 'Turn on the microphone');
  await press(page, 'Go backstage');
  await page.locator('town-console[data-place]').waitFor();
}

before(async () => {
  server = await startServer();
  event = await server.event('Who builds the bridge');
  [first, second] = [await launch(await voice('ada')), await launch(await voice('ben'))];
  [admin, ada, ben, cara, dan] = [await fresh(first), await fresh(first), await fresh(second), await fresh(second), await fresh(second)];
  faults = faultsOf(ada);
});

after(async () => {
  await Promise.allSettled([first, second].map((browser) => browser?.close()));
  await server?.stop();
});

test('who runs an event invites, and takes an invite back', async () => {
  await admin.goto(await server.signInLink('Grace', 'admin'));
  await admin.getByRole('main').getByRole('button').click();
  await admin.getByRole('button', { name: 'Sign out' }).waitFor();
  await admin.goto(event.page);
  await admin.getByRole('link', { name: 'Invites' }).click();
  await says(admin, 'Nobody yet.');
  for (const [name, role] of [['Ben', 'Speaker'], ['Cara', 'Co-host'], ['Dan', 'Speaker'], ['Eve', 'Speaker']]) {
    await admin.getByLabel('Name', { exact: true }).fill(name);
    await admin.getByRole('radio', { name: new RegExp(`^${role}`) }).check();
    await admin.getByLabel('Note').fill(`${name} answered by post`);
    await press(admin, 'Make the link');
    const link = admin.getByLabel(`Link for ${name}`);
    await link.waitFor();
    links[name] = await link.inputValue();
  }
  assert.equal(new Set(Object.values(links)).size, 4, 'to each their own');
  await accessible(admin, 'invites');
  await admin.screenshot({ path: join(results, 'invites.png'), fullPage: true });
  // Looking at a link, as previews do, does not use it up.
  for (let i = 0; i < 3; i += 1) assert.equal((await fetch(links.Eve)).status, 200);
  const eve = await fresh(second);
  await goBackstage(eve, links.Eve);
  assert.equal(await eve.locator('.people bdi').innerText(), 'Eve', 'the invite knows the name');
  await press(admin, 'Take it back: the link of Eve');
  await says(admin, 'The link opens nothing any more.');
  await eve.getByRole('link', { name: 'To the event’s page' }).waitFor();
  await eve.goto(links.Eve);
  await says(eve, 'This invite was taken back.');
  await eve.context().close();
  await admin.context().close();
});

test('backstage: heard well, played back, the connection in words, ready', async () => {
  await ada.goto(event.stage);
  await ada.getByLabel('Your name on stage').fill('Ada');
  await press(ada, 'Turn on the microphone');
  await says(ada, 'This is heard well.');
  await press(ada, 'Go backstage');
  await says(ada, 'Backstage. The audience hears nobody yet.');
  await says(ada, 'Your connection is good.');
  await says(ada, / lost, \d+ ms uneven, over UDP\./);
  await press(ada, 'Record five seconds');
  await says(ada, 'Recording. Speak as you will on stage.');
  await says(ada, 'This is how listeners will hear you');
  await ada.waitForFunction(() => {
    const sound = /** @type {HTMLAudioElement | null} */ (document.querySelector('audio[controls]'));
    return sound && sound.duration > 4.5 && sound.duration < 6;
  });
  await press(ada, 'I am ready');
  await inList(ada, 'On stage', 'Ada').getByText('ready').waitFor();
  await press(ada, 'I am not ready after all');
  await ada.screenshot({ path: join(results, 'backstage.png'), fullPage: true });
});

test('nobody goes live in silence without saying so', async () => {
  const silent = await launch(await silence());
  try {
    const page = await fresh(silent);
    const quiet = await server.event('Silence');
    await goBackstage(page, quiet.stage, 'Hush');
    await press(page, 'Go live');
    await says(page, 'Nothing was heard from your microphone. Go live all the same?');
    await press(page, 'Check the microphone');
    await page.getByLabel('Microphone', { exact: true }).and(page.locator(':focus')).waitFor();
    assert.equal((await server.cli('event', 'show', quiet.id)).phase, 'announced');
    await press(page, 'Go live');
    await press(page, 'Go live all the same');
    await says(page, /^Live\./);
  } finally {
    await silent.close();
  }
});

test('who comes while it is live waits backstage, steps on stage, and can’t while it is locked', async () => {
  await press(ada, 'Go live');
  await says(ada, 'Your microphone is on. Everybody hears you.');
  await goBackstage(ben, links.Ben);
  await says(ben, 'Your microphone is on. Backstage hears you, the audience does not.');
  await inList(ada, 'Backstage', 'Ben').waitFor();
  await press(ben, 'Step on stage');
  await says(ben, 'Your microphone is on. Everybody hears you.');
  await inList(ada, 'On stage', 'Ben').waitFor();
  await goBackstage(cara, links.Cara);
  await says(cara, 'You are co-host');
  await press(cara, 'Step on stage');
  await goBackstage(dan, links.Dan);
  await press(ada, 'Lock the stage');
  await ada.getByRole('button', { name: 'Unlock the stage' }).waitFor();
  await press(dan, 'Step on stage');
  await dan.getByRole('alert').filter({ hasText: 'locked' }).waitFor();
  await inList(ada, 'Backstage', 'Dan').waitFor();
  await press(ada, 'Unlock the stage');
  await ada.getByRole('button', { name: 'Lock the stage', exact: true }).waitFor();
  await press(dan, 'Step on stage');
  await inList(ada, 'On stage', 'Dan').waitFor();
  await press(ada, 'Send backstage: Ben');
  await says(ben, 'Your microphone is on. Backstage hears you, the audience does not.');
  await press(ada, 'Call on stage: Ben');
  await inList(ada, 'On stage', 'Ben').waitFor();
  await says(ben, 'You are muted. Nobody hears you.');
  await ben.keyboard.press('m');
  await says(ben, 'Your microphone is on. Everybody hears you.');
});

test('all speakers are muted at once, and who talks all the same is told', async () => {
  await press(ada, 'Mute all speakers');
  for (const page of [ben, dan]) await says(page, 'The host muted you. Nobody hears you.');
  await says(ben, 'You are talking, but you are muted.');
  assert.equal(await cara.getByText('You are muted.').count(), 0, 'who helps to run it is not');
  await ben.keyboard.press('m');
  await says(ben, 'Your microphone is on. Everybody hears you.');
  assert.ok(await ben.getByText('You are talking, but you are muted.').isHidden());
});

test('a co-host is made, rules, and is a speaker again', async () => {
  assert.equal(await ben.getByRole('button', { name: 'Mute Dan' }).count(), 0);
  await ada.getByLabel('More for Ben').click();
  await press(ada, 'Make co-host: Ben');
  await inList(ada, 'On stage', 'Ben').getByText('co-host').waitFor();
  await ben.getByLabel('More for Dan').waitFor();
  await ben.getByRole('button', { name: 'Lock the stage' }).waitFor();
  await inList(ben, 'On stage', 'Dan').getByRole('button', { name: 'Mute Dan' }).or(inList(ben, 'On stage', 'Dan').getByText('muted')).waitFor();
  assert.equal(await inList(ben, 'On stage', 'Ada').locator('button, summary').filter({ visible: true }).count(), 0, 'nothing is done to a host');
  await ada.getByLabel('More for Ben').click();
  await press(ada, 'Make speaker: Ben');
  await ben.getByRole('button', { name: 'Lock the stage' }).waitFor({ state: 'hidden' });
});

test('who comes back with another name is called by it everywhere', async () => {
  await unfold(ada, 'Set up the clock');
  await ada.getByLabel('Who has how long').selectOption('A budget for each side');
  await goBackstage(ben, links.Ben, 'Benedict');
  await says(ben, 'Your microphone is on. Everybody hears you.');
  const row = inList(ada, 'On stage', 'Benedict');
  await row.waitFor();
  for (const name of ['Mute Benedict', 'Send backstage: Benedict']) await row.getByRole('button', { name, exact: true }).waitFor();
  await ada.getByRole('list', { name: 'Who is on which side' }).getByLabel('Benedict').waitFor();
  await unfold(ada, 'Who takes over when the host is gone');
  await ada.getByRole('button', { name: 'Benedict earlier' }).waitFor();
  for (const [button, question, no] of [['Ban Benedict', 'Ban Benedict?', 'Don’t ban'], ['Hand over: Benedict', 'Hand the event over to Benedict?', 'Keep it']]) {
    await ada.getByLabel('More for Benedict').click();
    await row.getByRole('button', { name: 'Remove Benedict from the stage' }).waitFor();
    await press(ada, button);
    await ada.getByRole('dialog', { name: question }).getByRole('button', { name: no }).click();
  }
  await unfold(ada, 'Who takes over when the host is gone');
  await ada.getByLabel('Who has how long').selectOption('Off');
  await unfold(ada, 'Set up the clock');
  await goBackstage(ben, links.Ben, 'Ben');
  await ada.getByRole('button', { name: 'Mute Ben', exact: true }).waitFor();
});

test('everybody sees the same debate clock', async () => {
  await unfold(ada, 'Set up the clock');
  await ada.getByLabel('Who has how long').selectOption('A budget for each side');
  await ada.getByLabel('Minutes').fill('1');
  await press(ada, 'Set the clock');
  await says(ada, 'Put somebody on each side first.');
  const sides = ada.getByRole('list', { name: 'Who is on which side' });
  await sides.getByLabel('Ada').selectOption('one side');
  await sides.getByLabel('Ben').selectOption('the other side');
  await press(ada, 'Set the clock');
  for (const page of [ada, ben]) {
    await inList(page, 'Debate clock', 'For').getByText('1:00').waitFor();
    await inList(page, 'Debate clock', 'Against').getByText('1:00').waitFor();
  }
  await press(ada, 'Start Ben');
  for (const page of [ada, ben]) await inList(page, 'Debate clock', 'Against').getByText('0:57').waitFor();
  // The verb and the name are two words, to whoever sees them and to whoever hears them.
  assert.equal(await ada.getByRole('button', { name: 'Stop Ben' }).innerText(), 'Stop Ben');
  assert.equal((await readOut(ada, '[aria-label="Whose turn it is"] .pressed')).name, 'Stop Ben');
  await press(ada, 'Stop Ben');
  await ada.getByRole('button', { name: 'Start Ben' }).waitFor();
  assert.equal(await inList(ada, 'Debate clock', 'For').getByText('1:00').count(), 1, 'the other side lost nothing');
  assert.equal(await ben.getByText('Set up the clock').isVisible(), false, 'a speaker sets no clock');
  await inList(ada, 'Who has spoken how long', 'Ada').waitFor();
});

test('who has no time left on the clock is told so at once', async () => {
  await order(ada, { do: 'clock', mode: 'speaker', seconds: 2 });
  await press(ada, 'Start Ben');
  await says(ben, 'Your time is spent. The host can give you more.');
  await order(ada, { do: 'clock', mode: 'turn', seconds: 60 });
  await says(ben, 'You are muted. Nobody hears you.');
  await press(ben, 'Unmute');
  await says(ben, 'Your microphone is on. Everybody hears you.');
});

test('what was said last is cut, and the page says what was heard of it', async () => {
  await press(ada, '5 s: cut the last 5 seconds');
  await says(ada, /s are cut: who listens later hears silence there\. \d+ s of it had been sent to listeners already/);
});

test('the order of succession, by keyboard', async () => {
  await unfold(ada, 'Who takes over when the host is gone');
  const names = () => ada.getByRole('list', { name: 'Order of succession' }).locator('bdi').allInnerTexts();
  const before = await names();
  assert.equal(before[0], 'Cara', `a co-host first: ${before.join()}`);
  await ada.getByRole('button', { name: 'Dan earlier' }).focus();
  await ada.keyboard.press('Enter');
  await ada.waitForFunction(() => document.querySelector('.succession li:nth-child(2)')?.textContent?.includes('Dan'));
  await ada.getByRole('button', { name: 'Dan earlier' }).and(ada.locator(':focus')).waitFor();
  assert.deepEqual(await names(), ['Cara', 'Dan', 'Ben']);
});

test('a ban says what it covers, and the link brings nobody back', async () => {
  await ada.getByLabel('More for Dan').click();
  await press(ada, 'Ban Dan');
  await says(ada, 'What is public can’t be withheld');
  const [box, view] = [await ada.getByRole('dialog').boundingBox(), ada.viewportSize()];
  assert.ok(box && view && Math.abs(box.y + box.height / 2 - view.height / 2) < 2, `a question stands in the middle: ${JSON.stringify(box)}`);
  await press(ada, 'Don’t ban');
  await inList(ada, 'On stage', 'Dan').waitFor();
  await ada.getByLabel('More for Dan').click();
  await press(ada, 'Ban Dan');
  await press(ada, 'Ban them');
  await dan.getByRole('link', { name: 'To the event’s page' }).waitFor();
  await inList(ada, 'On stage', 'Dan').waitFor({ state: 'detached' });
  const again = await fresh(second);
  await again.goto(links.Dan);
  await says(again, 'excluded you from this event');
  await again.context().close();
});

test('who is on stage does not listen beside it, and listens again afterwards', async () => {
  const listener = await ben.context().newPage();
  await listener.goto(event.page);
  await listener.getByRole('button', { name: 'Listen' }).click();
  // The stage has the sound as long as somebody here is on it.
  await says(listener, 'The sound is in another tab now.');
  await press(ben, 'Leave the stage');
  await heard(listener);
  await goOnStage(ben, links.Ben, 'Ben');
  await says(listener, 'The sound is in another tab now.');
  const quiet = await listener.evaluate(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).paused);
  assert.ok(quiet, 'never both');
  await listener.close();
});

test('when the host is gone somebody else is in charge, until the host is back', async () => {
  await ada.goto('about:blank');
  await says(cara, 'The host is gone. You are in charge.');
  await says(ben, 'The host is gone. Cara is in charge.');
  await press(cara, 'Mute Ben');
  await says(ben, 'The host muted you. Nobody hears you.');
  // In another browser: before any microphone is on, and then nobody is there twice.
  ada = await fresh(first);
  await ada.goto(event.stage);
  await ada.getByLabel('Your name on stage').fill('Ada');
  await press(ada, 'Run the event without a microphone');
  await says(cara, 'The host is back and in charge again.');
  await inList(ada, 'On stage', 'Ada').getByText('away').waitFor();
  await press(ada, 'Turn on the microphone');
  await press(ada, 'Step on stage');
  await says(ada, 'Your microphone is on. Everybody hears you.');
  await inList(ada, 'On stage', 'Ada').getByText('away').waitFor({ state: 'detached' });
  assert.equal(await inList(ada, 'On stage', 'Ada').count(), 1, 'the place is the same');
  assert.equal(await inList(ada, 'Who has spoken how long', 'Ada').count(), 1, 'and so is the row');
  await cara.getByText('The host is gone. You are in charge.').waitFor({ state: 'hidden' });
});

test('the stage by keyboard alone, and how it looks', async () => {
  await ada.keyboard.press('?');
  await ada.getByRole('dialog', { name: 'Keys' }).waitFor();
  await ada.keyboard.press('m');
  await ada.keyboard.press('Escape');
  await ada.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });
  await says(ada, 'Your microphone is on. Everybody hears you.');
  await ada.keyboard.press('m');
  await says(ada, 'You are muted. Nobody hears you.');
  const names = await reachable(ada);
  for (const name of ['Unmute', 'Step backstage', 'Leave the stage', 'Lock the stage', 'Mute Cara', 'More for Cara', '10 s: cut the last 10 seconds', 'End event', 'Set up the clock', 'Start Cara']) {
    assert.ok(names.includes(name), `Tab reaches ${name}: ${names.join(', ')}`);
  }
  await ada.keyboard.press('m');
  await unfold(ada, 'Set up the clock');
  await ada.getByLabel('More for Cara').click();
  for (const width of [390, 1280]) {
    await ada.setViewportSize({ width, height: 844 });
    for (const scheme of /** @type {const} */ (['light', 'dark'])) {
      await ada.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const direction of ['rtl', 'ltr']) {
        await ada.evaluate((dir) => (document.documentElement.dir = dir), direction);
        await accessible(ada, `the stage ${width} ${scheme} ${direction}`);
        await notTooWide(ada, `the stage ${width} ${direction}`);
        if (direction === 'ltr' || width === 390) await ada.screenshot({ path: join(results, `stage-${width}-${scheme}-${direction}.png`), fullPage: true });
      }
    }
  }
  await ada.setViewportSize({ width: 390, height: 844 });
  await ada.getByText('Who has spoken').first().scrollIntoViewIfNeeded();
  assert.ok(await ada.getByRole('button', { name: 'Mute', exact: true }).isVisible());
  const at = await ada.getByRole('button', { name: 'Mute', exact: true }).boundingBox();
  assert.ok(at && at.y >= 0 && at.y + at.height <= 844, `one’s own microphone is at hand: ${JSON.stringify(at)}`);
  await fitsLarge(ada, 'stage');
  assert.deepEqual(faults, []);
});

test('the end is the end for everybody', async () => {
  // Who runs it without a microphone is not among those who talk on.
  await press(ada, 'Leave the stage');
  await press(ada, 'Run the event without a microphone');
  await says(ada, 'You run the event without a microphone. Nobody hears you.');
  await press(cara, 'End event');
  await press(cara, 'End for everybody');
  await ada.getByText('The event is over. Its page has the replay in a moment.').waitFor();
  for (const page of [ben, cara]) await says(page, 'The event is over. You are among yourselves');
  await press(ben, 'Leave the stage');
  await says(ben, 'You have left, and the event is over.');
  await ben.getByRole('link', { name: 'To the event’s page' }).waitFor();
  assert.equal(await ben.getByRole('button', { name: 'Turn on the microphone' }).count(), 0, 'nobody comes back');
});

/** The name of everything that Tab reaches. @param {Page} page */
async function reachable(page) {
  await page.locator('h1').click();
  /** @type {string[]} */
  const names = [];
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => document.activeElement?.getAttribute('aria-label') || document.activeElement?.textContent || '');
    if (names.length > 8 && name === names[0]) break;
    names.push(name);
  }
  return names;
}

/** A microphone that hears nothing: four seconds of it, as WAV. */
async function silence() {
  const rate = 48_000;
  const bytes = rate * 2 * 4;
  const file = Buffer.alloc(44 + bytes);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + bytes, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(bytes, 40);
  const path = join(tmpdir(), `townsquare-silence-${process.pid}.wav`);
  await writeFile(path, file);
  return path;
}
