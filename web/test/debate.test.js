/** The debate clock in real browsers: a budget for each side that everybody sees run, its chime in what a listener hears, and silence at zero. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultsOf, given, goOnStage, heard, keepStream, launch, order, streamOf } from './browser.js';
import { decibels, decode, fragments, share } from './hear.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

const RATE = 16_000;
/** The chime sounds ten seconds before the end of it. */
const BUDGET_SECONDS = 14;
/** The two bells of the chime, in the order in which they are struck. */
const [HIGH_HZ, LOW_HZ] = [880, 659.26];
/** A muted stage is quieter than this, and whoever speaks is louder. */
const QUIET_DECIBELS = -60;
/** The chime is over by then. */
const CHIME_SECONDS = 2.5;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser[]} */ const browsers = [];
/** @type {Page} */ let ada;
/** @type {Page} */ let ben;
/** @type {Page} */ let listener;
/** @type {string[][]} */ let faults;

const side = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('list', { name: 'Debate clock' }).getByRole('listitem').filter({ hasText: name });
const press = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('button', { name, exact: true }).click();

/** What the listener was given since a second of the programme. @param {number} since */
async function heardSince(since) {
  const bytes = await streamOf(listener);
  const { pieces, missing } = fragments(bytes);
  assert.equal(missing, 0, 'no fragment is missing');
  return (await decode(bytes)).slice(Math.max(0, Math.round((since - pieces[0].time) * RATE)));
}

/** The second of the programme that the listener was given last, once what is said now is in it. */
async function soon() {
  await given(listener, 10);
  return fragments(await streamOf(listener)).pieces.at(-1)?.time ?? 0;
}

before(async () => {
  server = await startServer();
  event = await server.event('For and against');
  browsers.push(await launch(await voice('ada')), await launch(await voice('ben')));
  [ada, listener, ben] = await Promise.all([0, 0, 1].map(async (of) => (await browsers[of].newContext()).newPage()));
  for (const page of [ada, ben]) page.on('dialog', (dialog) => void dialog.accept());
  faults = [ada, ben, listener].map(faultsOf);
  const { speakers } = await server.cli('event', 'show', event.id);
  await goOnStage(ada, event.stage, 'Ada');
  await goOnStage(ben, speakers, 'Ben');
  await order(ada, { do: 'go-live', yes: true });
  for (const page of [ada, ben]) {
    await press(page, 'Mute');
    await page.getByText('You are muted. Nobody hears you.').waitFor();
  }
  await keepStream(listener);
  await listener.goto(event.page);
  await press(listener, 'Listen');
  await heard(listener);
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server?.stop();
});

test('each side has its own time, on stage and for listeners, and a chime is heard before its end', async () => {
  // By number: they came in this order.
  await order(ada, { do: 'clock', mode: 'side', seconds: BUDGET_SECONDS, sides: [{ name: 'For', who: [1] }, { name: 'Against', who: [2] }] });
  const whole = `0:${BUDGET_SECONDS}`;
  for (const page of [ada, ben]) for (const name of ['For', 'Against']) await side(page, name).getByText(whole).waitFor();
  await listener.locator('.debate').getByText(`For ${whole}`).waitFor();
  const from = await soon();
  // Nobody talks: whatever sounds is the chime.
  await press(ada, 'Start Ada');
  for (const page of [ada, ben]) {
    await page.locator('.budgets .ends', { hasText: 'For' }).waitFor();
    await side(page, 'For').getByText('0:00').waitFor();
    await side(page, 'Against').getByText(whole).waitFor();
  }
  await listener.locator('.debate').getByText('For 0:00').waitFor();
  await listener.locator('.debate').getByText(`Against ${whole}`).waitFor();
  await soon();
  const sound = await heardSince(from);
  const step = RATE / 10;
  const loud = Array.from({ length: Math.floor(sound.length / step) }, (_, i) => i * step).filter((at) => decibels(sound.subarray(at, at + step)) > QUIET_DECIBELS);
  assert.ok(loud.length > 0, `something is heard in ${sound.length / RATE} s`);
  const [first, last] = [loud[0], loud[loud.length - 1]];
  assert.ok(last - first < CHIME_SECONDS * RATE, `once: from ${first / RATE} s to ${last / RATE} s`);
  const [high, low] = [HIGH_HZ, LOW_HZ].map((hz) => loud.map((at) => ({ at, of: share(sound.subarray(at, at + 2 * step), hz) })).reduce((most, one) => (one.of > most.of ? one : most)));
  assert.ok(high.of > 0.4 && low.of > 0.4 && high.at < low.at, `a high bell, then a lower one: ${JSON.stringify([high, low])}`);
});

test('at zero the microphone falls silent, who spoke reads why, and can’t turn it on again', async () => {
  await press(ben, 'Unmute');
  await ben.getByText('Your microphone is on. Everybody hears you.').waitFor();
  await listener.locator('.player-line').getByText('Ben is speaking').waitFor();
  const from = await soon();
  await press(ada, 'Start Ben');
  const mine = ben.locator('.stage-mine');
  await mine.getByText('Your time is spent. The host can give you more.').waitFor();
  const zero = await soon();
  const spoken = await heardSince(from);
  const seconds = Array.from({ length: Math.floor(spoken.length / RATE) }, (_, i) => decibels(spoken.subarray(i * RATE, (i + 1) * RATE)));
  assert.ok(seconds.filter((level) => level > -40).length > 3, `Ben was heard: ${seconds.map(Math.round).join(' ')}`);
  await press(ben, 'Unmute');
  await ben.getByRole('alert').getByText('Your time is spent. The host can give you more.').waitFor();
  await mine.getByText('Your time is spent. The host can give you more.').waitFor();
  await soon();
  const level = decibels(await heardSince(zero));
  assert.ok(level < QUIET_DECIBELS, `nobody is heard after zero: ${level} dBFS`);
  await listener.getByRole('list', { name: 'On stage' }).getByRole('listitem').filter({ hasText: 'Ben' }).getByText('muted').waitFor();
  await side(ben, 'Against').getByText('0:00').waitFor();
  await listener.locator('.debate').getByText('Against 0:00').waitFor();
  assert.deepEqual(faults, [[], [], []]);
});
