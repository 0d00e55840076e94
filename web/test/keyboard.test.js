/** The whole stage by keyboard alone, in real Chromium: everything that who runs an event does there, and what the others see of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { faultsOf, focused, launch, tabTo } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser[]} */ const browsers = [];
/** @type {import('node:child_process').ChildProcess[]} */ const speakers = [];
/** @type {Page} */ let ada;
/** @type {Page} */ let cara;
/** @type {Page} */ let dora;
/** @type {string[]} */ let faults;

const inList = /** @param {Page} page @param {string} list @param {string} name */ (page, list, name) => page.getByRole('list', { name: list, exact: true }).getByRole('listitem').filter({ hasText: name });
const says = /** @param {Page} page @param {string | RegExp} text */ (page, text) => page.getByText(text).first().waitFor();
/** Gets to a button by Tab and presses it. @param {string} name @param {Page} [page] */
const use = async (name, page = ada) => {
  await tabTo(page, name);
  await page.keyboard.press('Enter');
};
/** @param {string} label @param {string} text */
const type = async (label, text) => {
  await tabTo(ada, label);
  await ada.keyboard.type(text);
};
/** Everybody's phase is this. @param {string} phase */
const phase = (phase) => ada.locator(`town-console[data-phase="${phase}"]`).waitFor();

/** From a stage link to the room behind the stage. @param {Page} page @param {string} link @param {string} name */
async function comeIn(page, link, name) {
  await page.goto(link);
  await tabTo(page, 'Your name on stage');
  await page.keyboard.type(name);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Go backstage' }).and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Mute', exact: true }).and(page.locator(':focus')).waitFor();
}

before(async () => {
  server = await startServer();
  event = await server.event('No mouse anywhere');
  browsers.push(await launch(await voice('ada')), await launch(await voice('ben')));
  [ada, cara, dora] = await Promise.all([0, 1, 1].map(async (of) => (await browsers[of].newContext()).newPage()));
  for (const page of [ada, cara]) page.on('dialog', (dialog) => void dialog.accept());
  faults = faultsOf(ada);
});

after(async () => {
  for (const speaker of speakers) speaker.kill();
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server?.stop();
});

test('coming in, hearing oneself, being ready, going live', async () => {
  await comeIn(ada, event.stage, 'Ada');
  await use('Record five seconds');
  await says(ada, 'This is how listeners will hear you');
  await use('I am ready');
  await inList(ada, 'On stage', 'Ada').getByText('ready').waitFor();
  await use('Go live');
  const anyway = ada.getByRole('button', { name: 'Go live all the same' });
  await ada.locator('town-console[data-phase="live"]').or(anyway).first().waitFor();
  if (await anyway.isVisible()) await use('Go live all the same');
  await phase('live');
  assert.equal(await focused(ada), 'The event', 'what was pressed is gone, and Enter does nothing more');
});

test('calling, muting, sending back, locking', async () => {
  const { speakers: link } = await server.cli('event', 'show', event.id);
  for (const name of ['Ben', 'Dan']) {
    speakers.push(spawn(binary, ['speak', link, await voice('ben'), '--loop', '--name', name], { stdio: 'ignore' }));
    await inList(ada, 'On stage', name).waitFor();
  }
  await comeIn(cara, link, 'Cara');
  await use('Call on stage: Cara');
  await says(cara, 'You are muted. Nobody hears you.');
  await cara.keyboard.press('m');
  await says(cara, 'Your microphone is on. Everybody hears you.');
  await use('Mute Ben');
  await inList(ada, 'On stage', 'Ben').getByText('muted').waitFor();
  assert.equal(await focused(ada), 'More for Ben');
  await use('More for Cara');
  await use('Make co-host: Cara');
  await inList(ada, 'On stage', 'Cara').getByText('co-host').waitFor();
  await inList(ada, 'On stage', 'Dan').and(ada.locator('.speaks')).waitFor();
  await use('Mute all speakers');
  await inList(ada, 'On stage', 'Dan').getByText('muted').waitFor();
  await inList(ada, 'On stage', 'Dan').and(ada.locator('.speaks')).waitFor({ state: 'detached' });
  assert.equal(await inList(ada, 'On stage', 'Cara').getByText('muted').count(), 0, 'who helps to run it is not');
  await use('Lock the stage');
  await ada.getByRole('button', { name: 'Unlock the stage' }).waitFor();
  await ada.keyboard.press('Enter');
  await ada.getByRole('button', { name: 'Lock the stage', exact: true }).waitFor();
  await use('Send backstage: Ben');
  await inList(ada, 'Backstage', 'Ben').waitFor();
  assert.equal(await focused(ada), 'Call on stage: Ben', 'the focus goes with the row');
  await ada.keyboard.press('Enter');
  await inList(ada, 'On stage', 'Ben').waitFor();
  await use('Step backstage');
  await says(ada, 'Your microphone is on. Backstage hears you, the audience does not.');
  await ada.keyboard.press('Enter');
  await says(ada, 'Your microphone is on. Everybody hears you.');
});

test('the debate clock', async () => {
  await use('Set up the clock');
  await tabTo(ada, 'Who has how long');
  await ada.keyboard.press('ArrowDown');
  await type('Minutes', '1.5');
  await use('Set the clock');
  for (const page of [ada, cara]) for (const name of ['Ben', 'Dan']) await inList(page, 'Debate clock', name).getByText('1:30').waitFor();
  assert.equal(await focused(ada), 'Set up the clock');
  await use('Start Ben');
  for (const page of [ada, cara]) await inList(page, 'Debate clock', 'Ben').getByText('1:27').waitFor();
  assert.equal(await focused(ada), 'Stop Ben');
  await ada.keyboard.press('Enter');
  await ada.getByRole('button', { name: 'Start Ben' }).waitFor();
  await use('Set up the clock');
  await tabTo(ada, 'Who has how long');
  await ada.keyboard.press('Home');
  await use('Set the clock');
  await inList(cara, 'Debate clock', 'Ben').waitFor({ state: 'hidden' });
});

test('a poll, a pin and a question, as the audience sees them', async () => {
  await dora.goto(event.page);
  await use('Ask the audience');
  await type('Question', 'Build the bridge?');
  await type('Answers, one a line, two at least', 'Yes\nNo');
  await use('Open the poll');
  await ada.getByRole('list', { name: 'Votes' }).getByText('Yes').waitFor();
  await dora.reload();
  await dora.getByRole('group', { name: 'Build the bridge?' }).getByLabel('Yes').check();
  await dora.getByRole('button', { name: 'Vote', exact: true }).click();
  await inList(ada, 'Votes', 'Yes').getByText('1', { exact: true }).waitFor();
  await use('Close the poll');
  await says(ada, 'Closed.');
  await use('Pin something');
  await type('Text', 'The agenda');
  await type('Link, if there is one', 'https://agenda.example/');
  await use('Pin it');
  await inList(ada, 'Pinned', 'The agenda').getByText('https://agenda.example/').waitFor();
  await dora.reload();
  await says(dora, 'Closed.');
  assert.equal(await dora.getByRole('link', { name: 'The agenda' }).getAttribute('href'), 'https://agenda.example/');
  await dora.getByText('Ask a question').click();
  await dora.getByLabel('Your question').fill('Who pays for it?');
  await dora.getByLabel('Your name (optional)').fill('Dora');
  await dora.getByRole('button', { name: 'Ask', exact: true }).click();
  await inList(ada, 'Questions', 'Who pays for it?').getByText('Dora, 0 votes').waitFor();
  await use('Answered: Who pays for it?');
  await says(ada, 'Nobody has asked anything yet.');
  await use('Take down: The agenda');
  await inList(ada, 'Pinned', 'The agenda').waitFor({ state: 'detached' });
  await dora.reload();
  await says(dora, 'Closed.');
  assert.equal(await dora.getByText('The agenda').count() + (await dora.getByText('Who pays for it?').count()), 0);
});

test('who is first in the host’s order takes over, the host takes it back, and hands it over', async () => {
  await use('Who takes over when the host is gone');
  await use('Dan earlier');
  const order = /** @param {string} wanted */ (wanted) => ada.waitForFunction((names) => [...document.querySelectorAll('.succession bdi')].map((one) => one.textContent).join() === names, wanted);
  await order('Cara,Dan,Ben');
  assert.equal(await focused(ada), 'Dan earlier');
  await ada.keyboard.press('Enter');
  await order('Dan,Cara,Ben');
  await ada.goto('about:blank');
  await says(cara, 'The host is gone. Dan is in charge.');
  await comeIn(ada, event.stage, 'Ada');
  await cara.getByText('Dan is in charge.').waitFor({ state: 'hidden' });
  await use('More for Cara');
  await use('Hand over: Cara');
  await ada.getByRole('dialog').waitFor();
  assert.equal(await focused(ada), 'Keep it', 'Enter pressed twice hands nothing over');
  await use('Hand over');
  await says(cara, 'You are in charge.');
  await inList(ada, 'On stage', 'Cara').getByText('in charge').waitFor();
});

test('removing, banning, ending', async () => {
  await use('More for Ben');
  await use('Remove Ben from the stage');
  await inList(ada, 'On stage', 'Ben').waitFor({ state: 'detached' });
  await use('More for Dan');
  await use('Ban Dan');
  await says(ada, 'What is public can’t be withheld');
  assert.equal(await focused(ada), 'Don’t ban');
  await use('Ban them');
  await inList(ada, 'On stage', 'Dan').waitFor({ state: 'detached' });
  await use('End event');
  assert.equal(await focused(ada), 'Not yet');
  await use('End for everybody');
  for (const page of [ada, cara]) await says(page, /^The event is over\./);
  await inList(cara, 'Backstage', 'Ada').waitFor();
  assert.doesNotMatch(await inList(cara, 'Backstage', 'Ada').innerText(), /ready/, 'there is nothing to be ready for');
  await use('Leave the stage');
  await says(ada, 'You have left, and the event is over.');
  assert.deepEqual(faults, []);
});
