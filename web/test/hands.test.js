/** Raised hands in real Chromium: the queue of who runs the event, going on stage from listening and back to it, and being banned from both. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { PATIENCE_MILLIS, faultsOf, focused, goOnStage, heard, launch, stepOnStage, tabTo } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ id: string, ticket: string, stage: string }} Hand */

const CROWD = 40;
/** Of 16 px each, what stage.css says. */
const BOX_REM = 24;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser[]} */ const browsers = [];
/** @type {Page} */ let ada;
/** @type {Page} */ let bo;
/** @type {string[]} */ let faults;
let visitors = 0;

const queue = () => ada.getByRole('list', { name: 'Raised hands' });
const handOf = /** @param {string} name */ (name) => queue().getByRole('listitem').filter({ hasText: name });
const onStage = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('list', { name: 'On stage' }).getByRole('listitem').filter({ hasText: name });
const press = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('button', { name, exact: true }).click();
/** Whether the page's own player sounds. @param {Page} page */
const listens = (page) => page.evaluate(() => !(/** @type {HTMLAudioElement | null} */ (document.querySelector('audio#sound'))?.paused ?? true));

/**
 * Somebody else somewhere else takes part.
 * @param {string} path
 * @param {object} [body]
 * @param {string} [ticket]
 */
async function partake(path, body, ticket) {
  visitors += 1;
  const from = `198.51.${100 + (visitors >> 8)}.${visitors & 255}`;
  const api = `${server.base}/api/townsquare/v1/events/${event.id}`;
  // Who votes was there before.
  const cookie = path.endsWith('/vote') ? (await fetch(`${api}/board`)).headers.getSetCookie()[0].split(';')[0] : '';
  const answer = await fetch(`${api}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from, cookie, ...(ticket ? { authorization: `Bearer ${ticket}` } : {}) },
    body: body && JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.status === 204 ? null : answer.json();
}

/** @param {string} name @param {string} topic @returns {Promise<Hand>} */
const raise = (name, topic) => partake('hand', { name, topic });

/** The queue's names, once they stand so. @param {string[]} wanted */
const stands = (wanted) =>
  ada.waitForFunction((names) => [...document.querySelectorAll('ol.hands strong')].map((one) => one.textContent).join() === names, wanted.join());

before(async () => {
  server = await startServer();
  event = await server.event('Who wants to speak');
  // As people's browsers are: no sound before somebody has pressed something.
  const policy = '--autoplay-policy=document-user-activation-required';
  browsers.push(await launch(await voice('ada')), await launch(await voice('ben'), policy));
  [ada, bo] = await Promise.all(browsers.map(async (browser) => (await browser.newContext()).newPage()));
  for (const page of [ada, bo]) page.on('dialog', (dialog) => void dialog.accept());
  faults = faultsOf(ada);
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server?.stop();
});

test('who runs an event does so before their microphone is on', async () => {
  const { speakers } = await server.cli('event', 'show', event.id);
  const guest = spawn(binary, ['speak', speakers, await voice('ben'), '--loop', '--name', 'Gus'], { stdio: 'ignore' });
  try {
    await ada.goto(event.stage);
    await ada.getByLabel('Your name on stage').fill('Ada');
    await press(ada, 'Run the event without a microphone');
    await ada.getByText('Backstage. The audience hears nobody yet.').waitFor();
    await ada.getByText('You run the event without a microphone. Nobody hears you.').waitFor();
    await onStage(ada, 'Gus').waitFor();
    assert.equal(await onStage(ada, 'Ada').count(), 0, 'a console alone is no place');
    // Nothing is heard of Gus yet.
    await press(ada, 'I am ready');
    await press(ada, 'I am ready all the same');
    await press(ada, 'I am not ready after all');
    await ada.getByRole('button', { name: 'I am ready', exact: true }).waitFor();
    await press(ada, 'Mute Gus');
    await onStage(ada, 'Gus').getByText('muted').waitFor();
    await ada.getByLabel('More for Gus').click();
    await press(ada, 'Remove Gus from the stage');
    await onStage(ada, 'Gus').waitFor({ state: 'detached' });
    await press(ada, 'Turn on the microphone');
    await onStage(ada, 'Ada (you)').waitFor();
    await ada.getByText('Your microphone is on. The stage hears you.').waitFor();
  } finally {
    guest.kill();
  }
});

test('the queue stands in the order in which to take it, and is gone through by keyboard', async () => {
  await press(ada, 'Go live');
  const anyway = ada.getByRole('button', { name: 'Go live all the same' });
  await ada.locator('town-console[data-phase="live"]').or(anyway).first().waitFor();
  if (await anyway.isVisible()) await anyway.click();
  await ada.locator('town-console[data-phase="live"]').waitFor();
  await ada.getByText('Nobody wants to speak just now.').waitFor();
  const di = await raise('Di', 'The roof');
  await ada.getByText('Di raised a hand.').waitFor();
  const ed = await raise('Ed', 'The school');
  await raise('Flo', 'The water');
  await stands(['Di', 'Ed', 'Flo']);
  await ada.getByRole('heading', { name: 'Raised hands (3)' }).waitFor();
  await handOf('Ed').getByText('The school').waitFor();
  await handOf('Ed').getByText('hasn’t spoken yet, 0 votes').waitFor();
  for (let i = 0; i < 2; i += 1) await partake(`hand/${ed.id}/vote`);
  await stands(['Ed', 'Di', 'Flo']);
  await handOf('Ed').getByText('2 votes').waitFor();
  await tabTo(ada, 'Admit Ed');
  for (const name of ['Decline Ed', 'Admit Di', 'Decline Di']) {
    await ada.keyboard.press('Tab');
    assert.equal(await focused(ada), name);
  }
  await ada.keyboard.press('Enter');
  await stands(['Ed', 'Flo']);
  const own = `${server.base}/api/townsquare/v1/events/${event.id}/hand/${di.id}`;
  const standing = async () => (await (await fetch(own, { headers: { authorization: `Bearer ${di.ticket}` } })).json()).standing;
  // The square is told by the stage.
  for (const end = Date.now() + PATIENCE_MILLIS; (await standing()) !== 'declined'; ) assert.ok(Date.now() < end, await standing());
  // What was under the finger is gone, and a second press does nothing to who stands there now.
  await ada.keyboard.press('Enter');
  assert.match(await focused(ada), /^Flo/);
  await ada.keyboard.press('Shift+Tab');
  await ada.keyboard.press('Shift+Tab');
  assert.equal(await focused(ada), 'Admit Ed');
  await ada.keyboard.press('Enter');
  await stands(['Flo']);
  const speaker = spawn(binary, ['speak', ed.stage, await voice('ben'), '--loop', '--name', 'Ed'], { stdio: 'ignore' });
  try {
    await onStage(ada, 'Ed').and(ada.locator('.speaks')).waitFor();
    await ada.getByRole('list', { name: 'Who has spoken how long' }).getByText('Ed').waitFor();
  } finally {
    speaker.kill();
  }
  await ada.getByLabel('More for Ed').click();
  await press(ada, 'Remove Ed from the stage');
  await partake('hand', { name: 'Ed', topic: 'Once more' }, ed.ticket);
  await handOf('Ed').getByText('has spoken, 0 votes').waitFor();
  for (let i = 0; i < 3; i += 1) await partake(`hand/${ed.id}/vote`);
  await handOf('Ed').getByText('has spoken, 3 votes').waitFor();
  await stands(['Flo', 'Ed']);
  await partake('hand', { name: 'Edgar', topic: 'Once more' }, ed.ticket);
  for (const name of ['Admit Edgar', 'Decline Edgar']) await handOf('Edgar').getByRole('button', { name, exact: true }).waitFor();
});

test('however many hands there are, the stage stays where it is', async () => {
  for (const width of [1280, 390]) {
    await ada.setViewportSize({ width, height: 844 });
    if (width === 1280) {
      const crowd = Array.from({ length: CROWD }, (_, i) => raise(`Visitor ${i + 1}`, `A matter that takes a line to say, number ${i + 1}`));
      await Promise.all(crowd);
      await ada.getByRole('heading', { name: `Raised hands (${CROWD + 2})` }).waitFor();
    }
    const box = await queue().evaluate((list) => ({ shown: list.clientHeight, all: list.scrollHeight, wide: list.scrollWidth - list.clientWidth }));
    assert.ok(box.shown <= BOX_REM * 16 && box.all > 4 * box.shown && box.wide <= 0, `${width} px: ${JSON.stringify(box)}`);
    const places = [ada.getByRole('list', { name: 'On stage' }), queue(), ada.getByRole('heading', { name: 'Debate clock' })];
    const [people, hands, clock] = (await Promise.all(places.map((one) => one.boundingBox()))).map((box) => box?.y ?? NaN);
    assert.ok(people < hands, 'who is on stage comes first');
    assert.ok(clock - hands < 600, `and what comes after is not far: ${clock - hands} px`);
  }
  await ada.getByRole('button', { name: `Decline Visitor ${CROWD}`, exact: true }).focus();
  const seen = await ada.evaluate(() => {
    const [at, box] = [document.activeElement, document.activeElement?.closest('ol')].map((it) => /** @type {Element} */ (it).getBoundingClientRect());
    return at.top >= box.top - 1 && at.bottom <= box.bottom + 1;
  });
  assert.ok(seen, 'what has the focus is seen');
  await ada.setViewportSize({ width: 1280, height: 844 });
});

test('going on stage stops the sound of the page, leaving brings it back, in one tab', async () => {
  await bo.goto(event.page);
  await press(bo, 'Listen');
  await heard(bo);
  await bo.getByText('Raise your hand', { exact: true }).first().click();
  await bo.getByLabel('Your name on stage').fill('Bo');
  await bo.getByLabel('What about, in a line').fill('The trees');
  await press(bo, 'Raise your hand');
  await bo.getByText(/^Your hand is raised\. You are number \d+ in the queue\.$/).waitFor();
  await ada.getByRole('button', { name: 'Admit Bo', exact: true }).click();
  await bo.getByRole('link', { name: 'Go on stage' }).click();
  await bo.getByRole('button', { name: 'Turn on the microphone' }).click();
  await stepOnStage(bo);
  await onStage(ada, 'Bo').waitFor();
  assert.equal(await listens(bo), false, 'on stage, not listening');
  await bo.waitForFunction(() => (/** @type {HTMLAudioElement | null} */ (document.querySelector('town-console audio[autoplay]'))?.currentTime ?? 0) > 0.5);
  await press(bo, 'Leave the stage');
  await heard(bo);
  await bo.waitForURL(event.page);
  assert.equal(await bo.locator('town-console').count(), 0, 'listening, not on stage');
  await bo.locator('town-player[data-state="playing"]').waitFor();
  await onStage(ada, 'Bo').waitFor({ state: 'detached' });
});

test('and in two', async () => {
  const stage = await bo.context().newPage();
  stage.on('dialog', (dialog) => void dialog.accept());
  const link = await bo.getByRole('link', { name: 'Go on stage' }).evaluate((it) => /** @type {HTMLAnchorElement} */ (it).href);
  await goOnStage(stage, link, 'Bo');
  await bo.getByText('The sound is in another tab now.').waitFor();
  await onStage(ada, 'Bo').waitFor();
  assert.equal(await listens(bo), false, 'on stage, not listening');
  await press(stage, 'Leave the stage');
  await heard(bo);
  await stage.getByText('You have left the stage. On the event’s page you hear it as a listener.').waitFor();
  assert.equal(await listens(stage), false, 'one of the two tabs sounds');
  await stage.getByRole('link', { name: 'Back to the event’s page' }).and(stage.locator(':focus')).waitFor();
  await stage.close();
});

test('who came by a raised hand and is banned reads so, raises no hand, and still hears what is public', async () => {
  await bo.getByRole('link', { name: 'Go on stage' }).click();
  await bo.getByRole('button', { name: 'Turn on the microphone' }).click();
  await stepOnStage(bo);
  const link = bo.url();
  await ada.getByLabel('More for Bo').click();
  await press(ada, 'Ban Bo');
  await press(ada, 'Ban them');
  await bo.getByRole('status').filter({ hasText: 'A host has excluded you from this event.' }).waitFor();
  await onStage(ada, 'Bo').waitFor({ state: 'detached' });
  await bo.getByRole('link', { name: 'To the event’s page' }).click();
  await bo.getByText('you can’t raise a hand, ask, vote or react. It is public, so nobody can keep you from hearing it.').waitFor();
  assert.equal(await bo.getByText('Raise your hand').count(), 0);
  await heard(bo);
  await bo.goto(link);
  await bo.getByText('A host has excluded you from this event.').waitFor();
  assert.equal(await bo.getByRole('button', { name: 'Turn on the microphone' }).count(), 0);
  assert.deepEqual(faults, []);
});
