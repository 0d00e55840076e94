/** What an audience does in real browsers: reactions, a raised hand that goes on stage, polls, questions, pins, going back, the saver, keys; with and without script. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faultsOf, goOnStage, heard, hold, launch, stepOnStage } from './browser.js';
import { looksWell } from './looks.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser[]} */ const browsers = [];
/** @type {Page} */ let host;
/** @type {Page} */ let bo;
/** @type {Page} */ let cleo;
/** @type {string[][]} */ let faults;

before(async () => {
  server = await startServer();
  event = await server.event('Town meeting');
  browsers.push(await launch(await voice('ada')), await launch(await voice('ben')));
  const page = async (/** @type {number} */ of) => (await browsers[of].newContext()).newPage();
  [host, bo, cleo] = await Promise.all([page(0), page(1), page(1)]);
  faults = [bo, cleo].map(faultsOf);
  await goOnStage(host, event.stage, 'Ada');
  await host.getByRole('button', { name: 'Go live' }).click();
  // A voice that is just then between two rounds is asked about.
  const [live, anyway] = [host.locator('town-console[data-phase="live"]'), host.getByRole('button', { name: 'Go live all the same' })];
  await live.or(anyway).first().waitFor();
  if (await anyway.isVisible()) await anyway.click();
  await live.waitFor();
  for (const listener of [bo, cleo]) {
    await listener.goto(event.page);
    await listener.getByRole('button', { name: 'Listen' }).click();
    await heard(listener);
  }
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server?.stop();
});

/** The host's ticket runs polls and pins. @param {string} path @param {object} body */
async function asHost(path, body) {
  const answer = await fetch(`${server.base}/api/townsquare/v1/events/${event.id}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${event.stage.split('/').pop()}` },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.status === 204 ? null : answer.json();
}

test('how many listen is right, and endless streams and HLS are counted once each', async () => {
  await bo.getByText('2 listening').waitFor();
  const life = new AbortController();
  const stream = await fetch(`${event.listen.stream}?from=-1`, { signal: life.signal });
  await fetch(event.listen.stream, { method: 'HEAD' });
  const preview = new AbortController();
  await fetch(`${event.listen.stream}?from=-1`, { headers: { purpose: 'prefetch' }, signal: preview.signal });
  await fetch(event.listen.hls.replace('main', '64'), { headers: { 'user-agent': 'an HLS player' } });
  // The page and this stream, the playlist's reader, and neither the probe nor the preview.
  await bo.getByText('4 listening').waitFor();
  life.abort();
  preview.abort();
  await stream.body?.cancel().catch(() => {});
  await bo.getByText('2 listening').waitFor();
});

test('a reaction is seen by another listener', async () => {
  await bo.getByRole('button', { name: 'Clap' }).click();
  await cleo.locator('.reaction-counts').getByText('👏').waitFor();
  const still = await (await browsers[1].newContext({ reducedMotion: 'reduce' })).newPage();
  await still.goto(event.page);
  await still.getByRole('button', { name: 'Listen' }).click();
  await heard(still);
  await still.getByRole('button', { name: 'Heart' }).waitFor();
  await bo.getByRole('button', { name: 'Heart' }).click();
  await still.locator('.reaction-counts').getByText('❤️').waitFor();
  assert.equal(await still.locator('.air > span').count(), 0, 'nothing moves for who wants that');
  await still.context().close();
});

test('pins, a poll and a question are on every page, and votes are counted', async () => {
  await asHost('pins', { text: 'The agenda', url: 'https://agenda.example/' });
  await bo.getByRole('link', { name: 'The agenda' }).waitFor();
  await asHost('polls', { question: 'Build the bridge?', answers: ['Yes', 'No'] });
  for (const [page, answer] of /** @type {const} */ ([[bo, 'Yes'], [cleo, 'Yes']])) {
    await page.getByRole('group', { name: 'Build the bridge?' }).getByLabel(answer).check();
    await page.getByRole('button', { name: 'Vote', exact: true }).click();
    await page.getByText('You have voted.').waitFor();
  }
  await bo.locator('.choice', { hasText: 'Yes' }).getByText('2 · 100 %').waitFor();
  await bo.getByText('Ask a question').click();
  await bo.getByLabel('Your question').fill('Who pays for it?');
  await bo.getByRole('button', { name: 'Ask', exact: true }).click();
  const vote = cleo.locator('.questions li', { hasText: 'Who pays for it?' }).getByRole('button');
  await vote.click();
  await bo.locator('.questions li', { hasText: 'Who pays for it?' }).locator('.votes').getByText('1').waitFor();
  await asHost('polls/1/close', {});
  await cleo.getByText('Closed.').waitFor();
  await heard(cleo);
});

test('one’s own vote is sent once and counted at once', async () => {
  await asHost('polls', { question: 'And a school?', answers: ['Yes', 'No'] });
  const poll = bo.getByRole('group', { name: 'And a school?' });
  await poll.waitFor();
  await cleo.getByText('Ask a question').click();
  await cleo.getByLabel('Your question').fill('And when?');
  await cleo.getByRole('button', { name: 'Ask', exact: true }).click();
  const question = /** @param {Page} page */ (page) => page.locator('.questions li', { hasText: 'And when?' });
  await question(bo).waitFor();
  await bo.waitForFunction(() => !(/** @type {HTMLElement} */ (document.querySelector('town-part')).dataset.asked));
  await poll.getByLabel('Yes').check();
  const number = await question(bo).getAttribute('data-question');
  for (const [selector, button, counted] of /** @type {const} */ ([
    ['.poll form', bo.getByRole('button', { name: 'Vote', exact: true }), ['1 · 100 %, 0 · 0 %, 1']],
    [`[data-question="${number}"] .vote`, question(bo).getByRole('button'), ['1']],
  ])) {
    await bo.evaluate(keepVotes, selector);
    const { sent, release } = await hold(bo, /\/vote$/);
    const asked = bo.waitForRequest(/\/vote$/);
    await button.dblclick();
    await asked;
    assert.ok(await button.isDisabled(), 'it is being sent');
    if (selector === '.poll form') await poll.getByLabel('Yes').press('Enter');
    await release();
    // What the stream says is what the others see.
    const theirs = selector === '.poll form' ? cleo.locator('.choice', { hasText: 'Yes' }).getByText('1 · 100 %') : question(cleo).locator('.votes').getByText('1');
    await theirs.waitFor();
    assert.deepEqual(await bo.evaluate(() => /** @type {any} */ (globalThis).votes), counted, 'never was anything else shown');
    assert.ok(await bo.locator(selector).locator('button:enabled').count() === 0, 'once is enough');
    assert.equal(sent.length, 1, 'sent once');
  }
  await asHost('polls/2/close', {});
  // Both pages have taken that in: nothing is under the finger that goes at the next moment.
  for (const page of [bo, cleo]) await page.getByText('Closed.').waitFor();
});

test('by keyboard one keeps one’s place: a poll comes meanwhile, a vote is sent, a question is asked', async () => {
  const question = cleo.getByLabel('Your question');
  await cleo.getByText('Ask a question').click();
  await cleo.getByRole('button', { name: 'Ask', exact: true }).focus();
  await asHost('polls', { question: 'And trees?', answers: ['Yes', 'No'] });
  const poll = cleo.getByRole('group', { name: 'And trees?' });
  await poll.waitFor();
  await cleo.locator('.questions :focus').waitFor();
  assert.ok(await question.isVisible(), 'a form that was open stays open');
  await poll.getByLabel('Yes').focus();
  for (const key of ['Space', 'Tab', 'Enter']) await cleo.keyboard.press(key);
  await cleo.getByText('You have voted.').waitFor();
  await cleo.locator('.poll :focus').waitFor();
  await question.fill('And a bench below them?');
  await question.press('Enter');
  await cleo.locator('.questions li', { hasText: 'And a bench below them?' }).waitFor();
  await cleo.locator('.questions :focus').waitFor();
  await question.waitFor({ state: 'hidden' });
  await asHost('polls/3/close', {});
  await cleo.getByText('Closed.').waitFor();
});

test('with a debate clock everybody sees who has spoken how long; the page with everything on it looks well', async () => {
  const fair = bo.getByRole('list', { name: 'Who has spoken how long' });
  assert.equal(await fair.count(), 0, 'it is no debate');
  await asHost('polls', { question: 'What shall we build first, when the money is there?', answers: ['The bridge', 'The school', 'Neither'] });
  await host.getByText('Set up the clock').click();
  await host.getByLabel('Who has how long').selectOption({ label: 'A time for each turn' });
  await host.getByLabel('Minutes').fill('10');
  await host.getByRole('button', { name: 'Set the clock' }).click();
  await host.getByRole('button', { name: 'Start Ada' }).click();
  await fair.getByRole('listitem').filter({ hasText: /^Ada\d+:\d\d$/ }).waitFor();
  await bo.locator('.debate').getByText(/^Ada \d:\d\d$/).waitFor();
  const page = await (await browsers[1].newContext({ viewport: { width: 390, height: 844 } })).newPage();
  const wrong = faultsOf(page);
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Listen' }).click();
  await page.getByRole('list', { name: 'Who has spoken how long' }).getByText('Ada').waitFor();
  await page.getByLabel('Save data').check();
  await page.getByRole('group', { name: /^What shall we build first/ }).getByLabel('The bridge').check();
  await page.getByRole('button', { name: 'Vote', exact: true }).click();
  await page.getByText('You have voted.').waitFor();
  await page.getByRole('button', { name: 'Clap' }).click();
  await looksWell(page, 'everything');
  assert.deepEqual(wrong, []);
  await page.context().close();
  await host.getByText('Set up the clock').click();
  await host.getByLabel('Who has how long').selectOption({ label: 'Off' });
  await host.getByRole('button', { name: 'Set the clock' }).click();
  await fair.waitFor({ state: 'hidden' });
});

test('going back, catching up, and live again', async () => {
  // What was said before there was so much of it can't be gone back to.
  await cleo.waitForFunction(() => /** @type {any} */ (document.querySelector('town-player')).stats.fragments > 100);
  await cleo.getByRole('button', { name: 'Back 15 s' }).click();
  await cleo.getByText('You hear what was said before.').first().waitFor();
  await heard(cleo);
  await cleo.getByText(/ behind$/).waitFor();
  await cleo.getByRole('button', { name: /^Catch up/ }).click();
  await cleo.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).playbackRate === 1.5);
  await cleo.getByRole('button', { name: 'Back to live' }).click();
  await cleo.getByText('You hear what was said before.').first().waitFor({ state: 'hidden' });
  await heard(cleo);
  await cleo.getByRole('button', { name: 'From the beginning' }).click();
  await heard(cleo);
  const behind = await cleo.getByText(/ behind$/).innerText();
  assert.match(behind, /^\d+:\d\d behind$/);
  await cleo.getByRole('button', { name: 'Back to live' }).click();
  await heard(cleo);
  await cleo.waitForFunction(() => /** @type {any} */ (document.querySelector('town-player')).stats.behind < 5);
});

test('the saver asks for fewer bytes, says what they cost, and is remembered', async () => {
  const asked = cleo.waitForRequest((request) => request.url().includes('rung=16'));
  await cleo.getByLabel('Save data').check();
  await asked;
  await heard(cleo);
  await cleo.getByText(/^9 MB an hour, [\d.]+ MB so far$/).waitFor();
  const again = cleo.waitForRequest((request) => request.url().includes('rung=16'));
  await cleo.reload();
  await again;
  await heard(cleo);
  await cleo.getByLabel('Save data').uncheck();
  await cleo.getByText(/^33 MB an hour/).waitFor();
  await heard(cleo);
});

test('by keyboard alone: stop, listen, mute, help', async () => {
  await cleo.locator('h1').click();
  await cleo.keyboard.press(' ');
  await cleo.locator('town-player[data-state="idle"]').waitFor();
  await cleo.keyboard.press(' ');
  await heard(cleo);
  await cleo.keyboard.press('m');
  await cleo.waitForFunction(() => document.querySelector('audio')?.muted);
  await cleo.keyboard.press('m');
  await cleo.waitForFunction(() => !document.querySelector('audio')?.muted);
  await cleo.keyboard.press('?');
  await cleo.getByRole('dialog', { name: 'Keys' }).getByText('Back 15 seconds').waitFor();
  await cleo.keyboard.press('Escape');
  await cleo.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.equal(await cleo.evaluate(() => navigator.mediaSession.metadata?.title), 'Town meeting');
});

test('a raised hand is voted for, admitted, and goes on stage, where the listener’s sound stops', async () => {
  await bo.getByText('Raise your hand', { exact: true }).first().click();
  await bo.getByLabel('Your name on stage').fill('Bo');
  await bo.getByLabel('What about, in a line').fill('The trees by the river');
  await bo.getByRole('button', { name: 'Raise your hand' }).click();
  await bo.getByText('You are number 1 in the queue.').waitFor();
  // Without script, somebody else votes for it.
  const bare = await (await browsers[1].newContext({ javaScriptEnabled: false })).newPage();
  await bare.goto(event.page);
  await bare.locator('.hands li', { hasText: 'The trees by the river' }).getByRole('button').click();
  await bare.locator('.hands li .votes').getByText('1').waitFor();
  await bare.context().close();
  const hand = host.getByRole('list', { name: 'Raised hands' }).getByRole('listitem').filter({ hasText: 'The trees by the river' });
  await hand.getByText('Bo').waitFor();
  await hand.getByRole('button', { name: 'Admit' }).click();
  await bo.getByText('You may speak.').waitFor();
  await bo.getByRole('link', { name: 'Go on stage' }).click();
  await bo.waitForURL(/\/stage\//);
  assert.equal(await bo.evaluate(() => document.querySelector('audio#sound')?.getAttribute('src') ?? null), null, 'the listener’s sound is not here');
  assert.equal(await bo.getByLabel('Your name on stage').inputValue(), 'Bo');
  await bo.getByRole('button', { name: 'Turn on the microphone' }).click();
  await stepOnStage(bo);
  await cleo.getByRole('list', { name: 'On stage' }).getByText('Bo').waitFor();
  await bo.goto(event.page);
  // It plays again by itself: this tab was listening when they went.
  await heard(bo);
  assert.deepEqual(faults, [[], []]);
});

test('without script everything is a form', async () => {
  const page = await (await browsers[1].newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(event.page);
  await page.getByRole('link', { name: 'The agenda' }).waitFor();
  await page.getByText('Ask a question').click();
  await page.getByLabel('Your question').fill('And <when>?');
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  await page.locator('.questions li').getByText('And <when>?', { exact: true }).waitFor();
  await page.getByText('Raise your hand', { exact: true }).first().click();
  await page.getByLabel('Your name on stage').fill('Di');
  await page.getByLabel('What about, in a line').fill('The roof');
  await page.getByRole('button', { name: 'Raise your hand' }).click();
  await page.getByText('You are number 1 in the queue.').waitFor();
  await page.getByRole('button', { name: 'Take your hand down' }).click();
  await page.getByText('You are number').waitFor({ state: 'detached' });
  await page.context().close();
});

test('who opens the doors’ stream reads that it is not the event yet', async () => {
  const at = new Date(Date.now() + 600_000);
  const soon = await server.event('Soon', '--start-at', at.toISOString());
  const page = await (await browsers[1].newContext()).newPage();
  await page.goto(soon.page);
  await page.evaluate(() => {
    const said = /** @type {string[]} */ ([]);
    Object.assign(globalThis, { said });
    const look = () => document.querySelectorAll('town-player [role="status"]').forEach(({ textContent }) => textContent && said.at(-1) !== textContent && said.push(textContent));
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await page.getByRole('button', { name: 'Listen' }).click();
  const speaker = spawn(binary, ['speak', soon.stage, await voice('ada'), '--backstage'], { stdio: 'ignore' });
  try {
    await heard(page);
    await page.locator('.player-line').getByText('The doors are open. You hear the hold sound; the event begins').waitFor();
    await page.waitForFunction(() => /** @type {any} */ (globalThis).said.length);
    assert.match(await page.evaluate(() => /** @type {any} */ (globalThis).said[0]), /^The doors are open\./, 'and is told so first');
    assert.equal(await page.getByRole('button', { name: 'From the beginning' }).isVisible(), false, 'there is no way back yet');
    await server.cli('event', 'go-live', soon.id);
    await page.locator('.player-line').getByText(/^(Ada is speaking|Live\. Nobody is speaking\.)$/).waitFor();
    const journal = await readFile(join(server.data, 'events', soon.id, 'journal'), 'utf8');
    const first = Number(/"begun":\{"first":(\d+)\}/.exec(journal)?.[1]);
    assert.ok(first > 0, 'the doors were open before');
    // Who came while the doors were open has their sound in store, who comes later asks for it.
    await page.waitForFunction((to) => /** @type {any} */ (document.querySelector('town-player')).stats.next > to + 50, first);
    const late = await (await browsers[1].newContext()).newPage();
    await late.goto(soon.page);
    await late.getByRole('button', { name: 'Listen' }).click();
    await heard(late);
    await late.waitForFunction(() => /** @type {any} */ (document.querySelector('town-player')).stats.fragments > 25);
    await late.getByRole('button', { name: 'From the beginning' }).waitFor();
    const asked = late.waitForRequest((request) => /from=\d+$/.test(request.url()));
    for (const listener of [page, late]) {
      await listener.getByRole('button', { name: 'From the beginning' }).click();
      await listener.locator('.player-line').getByText('You hear what was said before.').waitFor();
      await heard(listener);
      assert.doesNotMatch(await listener.locator('.player-line').innerText(), /doors/);
    }
    assert.match((await asked).url(), new RegExp(`from=${first}$`));
    await late.context().close();
  } finally {
    speaker.kill();
    await page.context().close();
  }
});

/**
 * In the page: keeps the numbers that it shows of something once one has voted there.
 * @param {string} selector
 */
function keepVotes(selector) {
  const votes = /** @type {string[]} */ ([]);
  Object.assign(globalThis, { votes });
  const part = /** @type {Element} */ (document.querySelector('town-part'));
  const first = part.querySelector(selector);
  new MutationObserver(() => {
    const now = part.querySelector(selector);
    // The form that is being sent is the old one; of a new one there is nothing to press.
    if (!now || now === first || now.querySelector('button:not([disabled])')) return;
    const text = [...now.querySelectorAll('[data-votes], .voted')].map((one) => one.textContent).join(', ');
    if (text !== votes.at(-1)) votes.push(text);
  }).observe(part, { childList: true, characterData: true, subtree: true });
}
