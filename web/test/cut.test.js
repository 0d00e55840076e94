/** A broadcast delay in real browsers: what was said last is cut before anybody hears it, and what was heard already is said honestly. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultsOf, given, goOnStage, heard, keepStream, launch, order, streamOf } from './browser.js';
import { decibels, decode, fragments } from './hear.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

const RATE = 16_000;
const STEP = RATE / 10;
const DELAY_SECONDS = 10;
const CUT_SECONDS = 5;
/** What was cut is quieter than this. */
const QUIET_DECIBELS = -60;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  server = await startServer();
  browser = await launch(await voice('ada'));
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The longest silence in a sound, in seconds. @param {Float32Array} sound */
function silence(sound) {
  let [longest, run] = [0, 0];
  for (let at = 0; at + STEP <= sound.length; at += STEP) {
    run = decibels(sound.subarray(at, at + STEP)) < QUIET_DECIBELS ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return (longest * STEP) / RATE;
}

test('with a delay the last seconds are cut before anybody hears them, and what was heard is said', async (t) => {
  const event = await server.event('With a delay', '--delay', String(DELAY_SECONDS));
  const [host, listener] = await Promise.all([0, 0].map(async () => (await browser.newContext()).newPage()));
  const faults = [host, listener].map(faultsOf);
  await goOnStage(host, event.stage, 'Ada');
  await order(host, { do: 'go-live', yes: true });
  await keepStream(listener);
  await listener.goto(event.page);
  await listener.getByText(`You hear it ${DELAY_SECONDS} seconds after it is said.`).waitFor();
  await listener.getByRole('button', { name: 'Listen' }).click();
  await heard(listener);
  const cut = host.getByRole('group', { name: 'Cut what was said last' });
  await cut.getByRole('button', { name: `cut the last ${CUT_SECONDS} seconds` }).click();
  await host.getByText(`${CUT_SECONDS} s are cut: who listens later hears silence there. No listener has heard it.`).waitFor();
  // Until what was said after it is heard, too.
  await given(listener, 5 * (DELAY_SECONDS + CUT_SECONDS));
  const bytes = await streamOf(listener);
  assert.equal(fragments(bytes).missing, 0, 'no fragment is missing');
  const [sound, spoken] = [await decode(bytes), await decode(await voice('ada'))];
  const [own, silent] = [silence(spoken), silence(sound)];
  t.diagnostic(`the longest silence: ${own} s as it was spoken, ${silent} s as it was heard`);
  assert.ok(own < CUT_SECONDS / 2, 'Ada herself makes no such pause');
  assert.ok(silent > CUT_SECONDS - 1, `what was cut is silent: ${silent} s`);
  assert.ok(decibels(sound.subarray(-2 * RATE)) > -40, 'and then Ada is heard again');
  await cut.getByRole('button', { name: 'cut the last 20 seconds' }).click();
  await host.getByText(/^20 s are cut: who listens later hears silence there\. 1\d s of it had been sent to listeners already, and may have been heard\.$/).waitFor();
  assert.deepEqual(faults, [[], []]);
});
