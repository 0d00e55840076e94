/** Who speaks, for who listens with a screen reader: a polite line that names whoever it is now, and does not talk over the event. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { heard, launch, readOut } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** The page's line changes this often before what was said of it is counted. */
const CHANGES = 12;
/** Two remarks are further apart than this: a sentence of a screen reader takes longer. */
const APART_MILLIS = 2000;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess[]} */ const speakers = [];
/** @type {Page} */ let host;
/** @type {Page} */ let listener;
/** @type {string} */ let place;

const onStage = /** @param {string} name */ (name) => host.getByRole('list', { name: 'On stage' }).getByRole('listitem').filter({ hasText: name });
const press = /** @param {string} name */ (name) => host.getByRole('button', { name, exact: true }).click();

/** Somebody speaks into the event. @param {string} link @param {string} name @param {string} wav */
const speak = (link, name, wav) => speakers.push(spawn(binary, ['speak', link, wav, '--loop', '--name', name], { stdio: 'ignore' }));

before(async () => {
  server = await startServer();
  event = await server.event('One after the other');
  browser = await launch();
  place = await mkdtemp(join(tmpdir(), 'townsquare-halting-'));
  [host, listener] = await Promise.all([0, 1].map(async () => (await browser.newContext()).newPage()));
});

after(async () => {
  for (const speaker of speakers) speaker.kill();
  await browser?.close();
  await server?.stop();
  await rm(place, { recursive: true, force: true });
});

test('a screen reader is told who speaks when it is somebody else, and not more often than it can say', async () => {
  const { speakers: link } = await server.cli('event', 'show', event.id);
  // A word, and a pause of the same length, over and over.
  const halting = join(place, 'halting.wav');
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-ss', '0.3', '-t', '0.8', '-i', await voice('ada'), '-af', 'apad=whole_dur=1.6', halting]);
  speak(event.stage, 'Ada', halting);
  await host.goto(event.stage);
  await host.getByLabel('Your name on stage').fill('Grace');
  await press('Run the event without a microphone');
  await host.locator('town-console[data-phase="live"]').waitFor();
  await listener.goto(event.page);
  await listener.getByRole('button', { name: 'Listen' }).click();
  await heard(listener);
  // The one that is only there to be read out.
  const said = listener.locator('town-player [role="status"]');
  await said.filter({ hasText: 'Ada is speaking' }).waitFor({ state: 'attached' });
  assert.equal(await said.count(), 1);
  assert.equal((await readOut(listener, 'town-player [role="status"]')).live, 'polite');
  await listener.evaluate(watch);
  await listener.waitForFunction((count) => /** @type {any} */ (globalThis).seen.line.length > count, CHANGES);
  const { line, spoken } = await listener.evaluate(() => /** @type {{ line: number[], spoken: number[] }} */ (/** @type {any} */ (globalThis).seen));
  assert.ok(spoken.length <= line.length / 2, `${spoken.length} remarks on ${line.length} changes`);
  spoken.slice(1).forEach((at, i) => assert.ok(at - spoken[i] > APART_MILLIS, `two remarks ${at - spoken[i]} ms apart`));
  speak(link, 'Ben', await voice('ben'));
  await onStage('Ben').and(host.locator('.speaks')).waitFor();
  await press('Mute Ada');
  await said.filter({ hasText: /^Ben is speaking$/ }).waitFor({ state: 'attached' });
  await press('Mute Ben');
  await onStage('Ben').getByText('muted').waitFor();
});

/** In the page: when its line changed, and when something was said of it. */
function watch() {
  const seen = { line: /** @type {number[]} */ ([]), spoken: /** @type {number[]} */ ([]) };
  Object.assign(globalThis, { seen });
  const watched = /** @type {const} */ ([['.player-line', seen.line], ['town-player [role="status"]', seen.spoken]]);
  for (const [selector, times] of watched) {
    const changed = () => void times.push(Date.now());
    new MutationObserver(changed).observe(/** @type {Element} */ (document.querySelector(selector)), { childList: true, characterData: true, subtree: true });
  }
}
