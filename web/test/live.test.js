/** One whole event in real browsers: two speakers, two listeners, navigation, a lost network, another tab, the end and the replay. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PATIENCE_MILLIS, downlinkOf, faultsOf, given, goOnStage, heard, keepStream, launch, statsOf, streamOf } from './browser.js';
import { OTHER, SAME, alike, decibels, decode, envelope, fragments, heardAs } from './hear.js';
import { looksWell } from './looks.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Browser} Browser */
/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {Browser[]} */ const browsers = [];
/** @type {Page} */ let ada;
/** @type {Page} */ let ben;
/** @type {Page} */ let listener;
/** @type {Record<'ada' | 'ben', Float32Array>} */ let spoken;
/** What was heard of the programme at one place, and at which second that ended. */
let heardOnce = { sound: new Float32Array(0), until: 0 };

before(async () => {
  server = await startServer();
  event = await server.event('Town meeting');
  const voices = { ada: await voice('ada'), ben: await voice('ben') };
  spoken = { ada: envelope(await decode(voices.ada)), ben: envelope(await decode(voices.ben)) };
  browsers.push(await launch(voices.ada), await launch(voices.ben), await launch());
  [ada, ben, listener] = await Promise.all(browsers.map(async (browser) => (await browser.newContext()).newPage()));
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server?.stop();
});

test('who listens before the event begins hears it when it does', async () => {
  const faults = faultsOf(listener);
  await keepStream(listener);
  await listener.goto(event.page);
  await listener.getByRole('button', { name: 'Listen' }).click();
  await listener.getByText('Waiting for the event.').waitFor();
  await goOnStage(ada, event.stage, 'Ada');
  await goOnStage(ben, event.stage, 'Ben');
  await ada.getByText('Backstage.').waitFor();
  await ada.getByRole('button', { name: 'Go live' }).click();
  await ada.getByText('Live.').waitFor();
  await heard(listener);
  await listener.getByText('is speaking').or(listener.getByText('are speaking')).first().waitFor();
  await listener.getByRole('list', { name: 'On stage' }).getByText('Ben').waitFor();
  assert.deepEqual(faults, []);
});

test('the audience hears who speaks, as they spoke, without a gap', async (t) => {
  await ben.getByRole('button', { name: 'Mute', exact: true }).click();
  await ben.getByText('You are muted. Nobody hears you.').waitFor();
  const { samples, same } = await heardAs(async () => {
    await given(listener, 70);
    const bytes = await streamOf(listener);
    const { pieces, missing } = fragments(bytes);
    assert.equal(missing, 0, 'no fragment is missing');
    const sound = (await decode(bytes)).slice(-16_000 * 12);
    heardOnce = { sound, until: pieces[pieces.length - 1].time };
    return sound;
  }, spoken.ada);
  const other = alike(envelope(samples), spoken.ben);
  t.diagnostic(`Ada is heard: ${same.toFixed(2)}, Ben: ${other.toFixed(2)}, at ${decibels(samples).toFixed(1)} dBFS`);
  assert.ok(same > SAME, `Ada is heard: ${same}`);
  assert.ok(other < OTHER, `Ben is not: ${other}`);
  assert.ok(decibels(samples) > -40 && decibels(samples) < -8, `as loud as speech: ${decibels(samples)} dBFS`);
  assert.equal((await statsOf(listener)).gaps, 0);
});

test('a speaker hears the others and not themselves', async (t) => {
  await ben.getByRole('button', { name: 'Unmute' }).click();
  await ben.getByText('Your microphone is on. Everybody hears you.').waitFor();
  const { samples, same } = await heardAs(async () => decode(await downlinkOf(ada, 12)), spoken.ben);
  const herself = alike(envelope(samples), spoken.ada);
  t.diagnostic(`Ada hears Ben: ${same.toFixed(2)}, herself: ${herself.toFixed(2)}`);
  assert.ok(same > SAME, `Ada hears Ben: ${same}`);
  assert.ok(herself < OTHER, `and not herself: ${herself}`);
});

test('without script the page’s own element plays, by keyboard', async () => {
  const context = await browsers[2].newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(event.page);
  assert.equal(await page.locator('town-player .player').count(), 0, 'no script has run');
  assert.equal(await page.locator('audio source[type="audio/mp4"]').getAttribute('src'), event.listen.stream);
  const play = async () => {
    const focus = () => page.evaluate(() => document.activeElement?.tagName);
    for (let i = 0; i < 20 && (await focus()) !== 'AUDIO'; i += 1) await page.keyboard.press('Tab');
    assert.equal(await focus(), 'AUDIO');
    await page.keyboard.press('Space');
    const heardSo = () =>
      page.evaluate(() => {
        const audio = /** @type {HTMLAudioElement & { webkitAudioDecodedByteCount: number }} */ (document.querySelector('audio'));
        return { at: audio.currentTime, decoded: audio.webkitAudioDecodedByteCount, error: audio.error?.message };
      });
    const until = Date.now() + PATIENCE_MILLIS;
    let from = Infinity;
    for (let now = await heardSo(); now.at < from + 2 || now.decoded < 10_000; now = await heardSo()) {
      if (now.at > 0) from = Math.min(from, now.at);
      assert.ok(!now.error && Date.now() < until, JSON.stringify({ from, ...now }));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await play();
  // Nothing that waits inside the page runs without script.
  await Promise.all([page.waitForEvent('load'), page.getByRole('link', { name: 'Load the page again' }).click()]);
  await play();
  await context.close();
});

test('navigation, back and a form leave the sound alone', async () => {
  await listener.evaluate(() => {
    const audio = /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'));
    const events = /** @type {string[]} */ ([]);
    // Not `waiting`: a machine that is short of time is no navigation.
    for (const name of ['pause', 'emptied', 'seeking', 'ended', 'error']) audio.addEventListener(name, () => events.push(name));
    Object.assign(globalThis, { events, theAudio: audio });
  });
  const before = await statsOf(listener);
  const visit = /** @param {string} name @param {RegExp} at */ async (name, at) => {
    await listener.locator('.masthead').getByRole('link', { name }).click();
    await listener.waitForURL(at);
  };
  for (let round = 0; round < 5; round += 1) {
    await visit('Sign in', /sign-in/);
    await visit('Events', /\/$/);
  }
  await listener.getByRole('complementary', { name: 'Playing now' }).waitFor();
  await listener.goBack();
  await listener.waitForURL(/sign-in/);
  await visit('Events', /\/$/);
  await signIn();
  await listener.getByRole('link', { name: /Town meeting/ }).first().click();
  await listener.locator('town-player[data-state="playing"]').waitFor();
  const after = await statsOf(listener);
  const kept = await listener.evaluate(() => /** @type {any} */ ({ events: /** @type {any} */ (globalThis).events, same: /** @type {any} */ (globalThis).theAudio === document.querySelector('audio#sound') }));
  assert.ok(kept.same, 'the same element');
  assert.deepEqual(kept.events, []);
  assert.equal(after.reconnects, before.reconnects);
  assert.equal(fragments(await streamOf(listener)).missing, 0);
});

/** A form's post in the listener's own document: the button of a one-time link. */
async function signIn() {
  const link = await server.signInLink('hanna', 'member');
  await listener.evaluate((href) => {
    const a = Object.assign(document.createElement('a'), { href, textContent: 'my link' });
    document.querySelector('main')?.append(a);
  }, link);
  await listener.getByRole('link', { name: 'my link' }).click();
  await listener.waitForURL(/sign-in\//);
  await listener.locator('main').getByRole('button', { name: 'Sign in' }).click();
  await listener.getByRole('button', { name: 'Sign out' }).waitFor();
}

test('a second tab takes the sound over', async () => {
  const second = await listener.context().newPage();
  await second.goto(event.page);
  await second.getByRole('button', { name: 'Listen' }).click();
  await heard(second);
  await listener.getByText('The sound is in another tab now.').waitFor();
  await second.close();
  await listener.getByRole('button', { name: 'Listen here' }).click();
  await heard(listener);
});

test('after a lost network and after the back button it is live again', async (t) => {
  const { reconnects } = await statsOf(listener);
  server.air.cut();
  // It gives up the connection, and the next one.
  await tried(1 + Number(reconnects));
  const { fragments } = await statsOf(listener);
  await tried(2 + Number(reconnects));
  assert.equal((await statsOf(listener)).fragments, fragments, 'the wire is cut');
  server.air.mend();
  // What a phone says to its pages when the network is there again.
  await listener.evaluate(() => dispatchEvent(new Event('online')));
  const back = Date.now();
  await heard(listener);
  t.diagnostic(`heard ${Date.now() - back} ms after the network is back`);
  await listener.locator('town-player[data-state="playing"]').waitFor();
  assert.ok(Number((await statsOf(listener)).fragments) > Number(fragments));
  await listener.goto('about:blank');
  await listener.goBack({ waitUntil: 'commit' });
  const again = Date.now();
  await heard(listener);
  t.diagnostic(`heard ${Date.now() - again} ms after the back button`);
  await listener.locator('town-player[data-state="playing"]').waitFor();
});

/** @param {number} times for how many connections the player has tried again */
const tried = (times) => listener.waitForFunction((to) => /** @type {any} */ (document.querySelector('town-player')).stats.reconnects >= to, times);

test('after the end the replay is on the same page', async (t) => {
  await ada.getByRole('button', { name: 'End event' }).click();
  await ada.getByRole('button', { name: 'End for everybody' }).click();
  const ended = Date.now();
  await ada.getByText('The event is over.').waitFor();
  await ben.getByText('The event is over.').waitFor();
  await listener.locator('town-replay .seek').waitFor();
  t.diagnostic(`the replay is shown after ${Date.now() - ended} ms`);
  const replay = listener.locator('town-replay');
  await replay.getByRole('button', { name: 'Play' }).click();
  await heard(listener);
  await replay.getByLabel('Place in the recording').fill('20');
  await listener.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentTime > 20);
  await replay.getByLabel('Speed').selectOption('2');
  await listener.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).playbackRate === 2);
  const [download] = await Promise.all([listener.waitForEvent('download'), listener.getByRole('link', { name: 'Download', exact: true }).click()]);
  assert.match(download.suggestedFilename(), /\.m4a$/);
  const samples = await decode(await download.path());
  assert.ok(samples.length > 16_000 * 30, `the whole event is kept: ${samples.length / 16_000} s`);
  const { sound, until } = heardOnce;
  const same = alike(envelope(samples.slice(16_000 * (until - 11), 16_000 * until)), envelope(sound));
  t.diagnostic(`the replay is as it was heard: ${same.toFixed(2)}`);
  assert.ok(same > 0.9, `and sounds there as it was heard live: ${same}`);
});

test('whoever was on the stage talks on among themselves', async (t) => {
  for (const page of [ada, ben]) await page.getByText('You are among yourselves: nobody else hears you').waitFor();
  await ada.getByText('Your microphone is on. Those who are still here hear you.').waitFor();
  await looksWell(ada, 'among-themselves');
  const { same } = await heardAs(async () => decode(await downlinkOf(ada, 12)), spoken.ben);
  t.diagnostic(`Ada hears Ben after the end: ${same.toFixed(2)}`);
  assert.ok(same > SAME, `Ada hears Ben: ${same}`);
  await ben.getByRole('button', { name: 'Leave the stage' }).click();
  await ada.getByRole('list', { name: 'Backstage', exact: true }).getByRole('listitem').filter({ hasText: 'Ben' }).waitFor({ state: 'detached' });
  await ada.getByRole('button', { name: 'Leave the stage' }).click();
  await ada.getByText('You have left, and the event is over.').waitFor();
});
