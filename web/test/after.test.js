/** After the end: the replay's timeline, chapters and keys, without script too; trimming, hiding and deleting by who runs the event. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parseFeed } from 'podcast-partytime';
import { faultsOf, launch } from './browser.js';
import { accessible, looksWell, notTooWide } from './looks.js';
import { binary, startServer, until } from './server.js';
import { voice } from './voice.js';

const SPEECH_SECONDS = 14;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').BrowserContextOptions['storageState']} */ let admin;
/** Somebody who listens live and stays. @type {import('playwright-core').Page} */ let stayed;
/** How often their page was asked for once there was a replay. */ let asked = 0;

const moments = async () => fetch(`${server.base}/events/${event.id}/moments.json`).then((answer) => (answer.ok ? answer.json() : null));

before(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  event = await server.event('What was said', '--record-tracks');
  const speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--name', 'Ada Lovelace', '--loop'], { stdio: 'ignore' });
  const on = async () => (await fetch(`${server.base}/api/townsquare/v1/events/${event.id}`).then((answer) => answer.json())).phase;
  try {
    await until(async () => (await server.cli('event', 'go-live', event.id).catch(() => null)) !== null, 'the event');
    await until(async () => (await on()) === 'live', 'the event');
    const edge = async () => Number((await fetch(event.listen.stream, { method: 'HEAD' })).headers.get('townsquare-edge')?.split('.')[1] ?? 0);
    stayed = await (await browser.newContext()).newPage();
    await stayed.goto(event.page);
    await stayed.getByRole('button', { name: 'Listen' }).click();
    await stayed.locator('town-player[data-state="playing"]').waitFor();
    await stayed.route(event.page, async (route) => {
      const answer = await route.fetch();
      const page = await answer.text();
      if (page.includes('<town-replay')) asked += 1;
      // Whoever is quick has the page before anything is made of the recording.
      const early = page.replace(/ moments="[^"]*"( again="\d+")?>/, ' moments="" again="1">').replace(/<a [^>]*>Download as MP3<\/a>/, '');
      await route.fulfill({ response: answer, body: asked === 1 ? early : page });
    });
    await until(async () => (await edge()) >= SPEECH_SECONDS * 5, 'sound');
  } finally {
    speaker.kill();
  }
  await server.cli('event', 'end', event.id);
  await until(async () => (await moments())?.turns.length > 0, 'what was said');
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(await server.signInLink('ada', 'admin'));
  await page.getByRole('main').getByRole('button').click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  admin = await context.storageState();
  await context.close();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const at = /** @param {import('playwright-core').Page} page */ (page) => page.locator('.seek').evaluate((/** @type {HTMLInputElement} */ seek) => Number(seek.value));

test('a replay shows who spoke when, and is gone through by button, key and link', async () => {
  const page = await (await browser.newContext()).newPage();
  const faults = faultsOf(page);
  await page.goto(`${event.page}#t=0:05`);
  await page.locator('.lanes').waitFor();
  assert.equal(await page.locator('.lanes path.lane').count(), 1);
  assert.equal(await at(page), 5, 'the link names a place');
  await page.getByRole('button', { name: 'Back 15 s' }).click();
  assert.equal(await at(page), 0);
  await page.getByRole('button', { name: 'Next speaker' }).click();
  await page.getByText('Who spoke when').click();
  const turn = page.locator('.turns a').first();
  assert.match(await turn.innerText(), /Ada Lovelace/);
  await turn.click();
  await page.waitForFunction(() => !(/** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'))?.paused));
  await page.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentTime > 0.5);
  await page.locator('h1').click();
  await page.keyboard.press('k');
  await page.locator('town-replay[data-state="paused"]').waitFor();
  await page.keyboard.press('l');
  await page.waitForFunction((end) => Number(/** @type {HTMLInputElement} */ (document.querySelector('.seek')).value) >= end - 2, (await moments()).seconds);
  await page.keyboard.press('j');
  await page.waitForFunction(() => Number(/** @type {HTMLInputElement} */ (document.querySelector('.seek')).value) <= 1);
  assert.ok(await page.evaluate(() => navigator.mediaSession.metadata?.title === 'What was said'));
  for (const direction of ['ltr', 'rtl']) {
    await page.evaluate((dir) => (document.documentElement.dir = dir), direction);
    const { width } = /** @type {{ width: number }} */ (await page.locator('.lanes').boundingBox());
    await page.locator('.lanes').click({ position: { x: width / 4, y: 4 } });
    const { seconds } = await moments();
    await until(async () => Math.abs((await at(page)) / seconds - (direction === 'ltr' ? 0.25 : 0.75)) < 0.1, `a quarter from the left in ${direction}`);
  }
  await page.evaluate(() => (document.documentElement.dir = ''));
  await looksWell(page, 'replay');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
  const bar = page.getByRole('complementary', { name: 'Playing now' });
  await bar.waitFor();
  assert.equal(await bar.locator('.meta').innerText(), 'Replay');
  assert.deepEqual(faults, []);
  await page.context().close();
});

test('who stays when the event ends gets all of the replay, and what plays goes on', async () => {
  await stayed.locator('town-replay .seek').waitFor();
  await stayed.locator('town-replay').getByRole('button', { name: 'Play' }).click();
  await stayed.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentTime > 0.2);
  const playing = await stayed.evaluateHandle(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentSrc);
  await stayed.locator('.lanes').waitFor();
  await stayed.getByRole('heading', { name: 'Who spoke' }).waitFor();
  await stayed.getByRole('button', { name: 'Next speaker' }).waitFor();
  await stayed.getByRole('link', { name: 'Download as MP3' }).waitFor();
  assert.ok(await stayed.evaluate((src) => {
    const sound = /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'));
    return sound.currentSrc === src && !sound.error && (sound.ended || sound.currentTime > 0.2);
  }, playing));
  assert.ok(asked >= 2 && asked <= 7, `the page was asked for ${asked} times`);
  assert.equal(await stayed.locator('town-replay').getAttribute('again'), '', 'and is asked for no more');
  await stayed.context().close();
});

test('without script there is a bare player and who spoke', async () => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(event.page);
  assert.equal(await page.locator('audio[controls]').count(), 1);
  await page.getByRole('heading', { name: 'Who spoke' }).waitFor();
  await page.getByText('Ada Lovelace').waitFor();
  await page.context().close();
});

test('a member makes a clip of what they hear, and takes it away', async () => {
  const context = await browser.newContext({ storageState: admin });
  const page = await context.newPage();
  const faults = faultsOf(page);
  await page.goto(`${event.page}#t=0:03`);
  await page.locator('.lanes').waitFor();
  await page.getByText('Make a clip…').click();
  await page.getByRole('button', { name: 'From: take the place that is heard' }).click();
  assert.equal(await page.getByRole('textbox', { name: 'From', exact: true }).inputValue(), '0:03');
  await page.getByRole('textbox', { name: 'to', exact: true }).first().fill('0:09');
  await page.getByRole('textbox', { name: 'Title' }).fill('About the bridge');
  await page.getByRole('button', { name: 'Make the clip' }).click();
  await page.getByRole('heading', { name: 'About the bridge' }).waitFor();
  const address = page.url();
  assert.match(address, /\/clips\/[0-9a-z]{12}$/);
  const sound = /property="og:audio" content="([^"]+)"/.exec(await (await fetch(address)).text())?.[1] ?? '';
  const clip = await fetch(sound);
  assert.equal(clip.status, 200);
  assert.ok((await clip.arrayBuffer()).byteLength > 6 * 8000);
  await page.getByRole('button', { name: 'Play' }).click();
  await page.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentTime > 0.5);
  await looksWell(page, 'clip');
  const bare = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await bare.goto(address);
  assert.equal(await bare.locator('audio[controls]').count(), 1);
  assert.equal(await bare.getByText('Delete this clip…').count(), 0);
  await bare.context().close();
  await page.getByRole('link', { name: 'Hear it in the whole' }).click();
  await page.waitForFunction(() => Number(/** @type {HTMLInputElement | null} */ (document.querySelector('.seek'))?.value) === 3);
  await page.goto(address);
  await page.getByText('Delete this clip…').click();
  await page.getByRole('button', { name: 'Delete the clip' }).click();
  await page.getByRole('heading', { name: 'What was said' }).waitFor();
  assert.equal((await fetch(address)).status, 404);
  assert.deepEqual(faults, []);
  await context.close();
});

test('the host reads who listened when, and a program too', async () => {
  const context = await browser.newContext({ storageState: admin });
  const page = await context.newPage();
  await page.goto(`${server.base}/events/${event.id}/report`);
  await page.getByText('listened at most').waitFor();
  await page.getByText('As a table').click();
  await looksWell(page, 'report');
  const { step, listeners } = await (await page.request.get(`${server.base}/events/${event.id}/report.json`)).json();
  const { seconds } = await moments();
  assert.equal(listeners.length, Math.ceil(seconds / step));
  await context.close();
});

test('the host saves each speaker by themselves, a stranger does not', async () => {
  const context = await browser.newContext({ storageState: admin });
  const page = await context.newPage();
  await page.goto(`${server.base}/events/${event.id}/report`);
  const link = page.getByRole('link', { name: 'Ada Lovelace' });
  const [saved] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(saved.suggestedFilename(), 'what-was-said_ada-lovelace.m4a');
  const file = await saved.path();
  const run = promisify(execFile);
  const probe = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name,channels:format=duration', '-of', 'json', file]);
  const { streams, format } = JSON.parse(probe.stdout);
  assert.deepEqual(streams, [{ codec_name: 'opus', channels: 1 }]);
  const { seconds } = await moments();
  assert.ok(Math.abs(format.duration - seconds) < 5, `${format.duration} s of an event of ${seconds} s`);
  const heard = await run('ffmpeg', ['-v', 'info', '-xerror', '-i', file, '-af', 'volumedetect', '-f', 'null', '-']);
  assert.ok(Number(/max_volume: (-?[\d.]+) dB/.exec(heard.stderr)?.[1] ?? -99) > -30, heard.stderr);
  const address = /** @type {string} */ (await link.getAttribute('href'));
  const part = await page.request.get(`${server.base}${address}`, { headers: { range: 'bytes=4-7' } });
  assert.deepEqual([part.status(), await part.text()], [206, 'ftyp']);
  assert.equal((await fetch(`${server.base}${address}`)).status, 401);
  const other = await (await browser.newContext()).newPage();
  await other.goto(await server.signInLink('eve', 'member'));
  await other.getByRole('main').getByRole('button').click();
  await other.getByRole('button', { name: 'Sign out' }).waitFor();
  assert.equal((await other.request.get(`${server.base}${address}`)).status(), 403);
  await other.context().close();
  await context.close();
});

test('the feed is a podcast to who reads podcasts, and its sound an MP3', async () => {
  const feed = async () => (await fetch(`${server.base}/feeds/events.xml`)).text();
  await until(async () => (await feed()).includes('<item>'), 'the MP3');
  await server.event('What comes', '--start-at', '2030-11-24T18:00:00Z');
  const podcast = parseFeed(await feed(), { allowMissingGuid: false });
  assert.ok(podcast, 'it is a feed');
  const [item] = podcast.items;
  const { seconds } = await moments();
  assert.equal(item.title, 'What was said');
  assert.equal(item.duration, Math.ceil(seconds));
  assert.equal(item.enclosure.type, 'audio/mpeg');
  assert.equal(/** @type {any} */ (item).podcastPeople?.[0].name, 'Ada Lovelace');
  const live = /** @type {any} */ (podcast).podcastLiveItems;
  assert.deepEqual([live?.length, live?.[0].title, live?.[0].status], [1, 'What comes', 'pending']);
  const mp3 = await fetch(item.enclosure.url, { headers: { range: 'bytes=0-3' } });
  assert.equal(mp3.status, 206);
  assert.equal(mp3.headers.get('content-range'), `bytes 0-3/${item.enclosure.length}`);
  const head = new Uint8Array(await mp3.arrayBuffer());
  assert.deepEqual([head[0], head[1]], [0xff, 0xfb], 'MPEG-1 Layer III');
  assert.ok(Math.abs(item.enclosure.length / 8000 - seconds) < 0.5, `${item.enclosure.length} bytes for ${seconds} s`);
});

test('the owner trims, hides, shows and deletes, with and without script', async () => {
  const whole = await moments();
  for (const [nth, javaScriptEnabled] of [true, false].entries()) {
    const context = await browser.newContext({ storageState: admin, javaScriptEnabled });
    const page = await context.newPage();
    await page.goto(event.page);
    if (javaScriptEnabled) await looksWell(page, 'replay-owner');
    await page.getByText('Trim…').click();
    await page.getByRole('textbox', { name: 'Keep from' }).fill('0:02');
    await page.getByRole('button', { name: 'Hear what is left…' }).click();
    await page.getByRole('heading', { name: /^Keep from 0:02 to/ }).waitFor();
    if (javaScriptEnabled) await looksWell(page, 'replay-trim');
    await page.getByRole('button', { name: 'Trim the replay' }).click();
    await page.getByRole('heading', { name: 'What was said' }).waitFor();
    await until(async () => Math.abs(whole.seconds - (nth + 1) * 2 - ((await moments())?.seconds ?? 0)) < 0.01, 'the trimmed replay');
    await page.getByRole('button', { name: 'Hide the replay' }).click();
    await page.getByText('This replay is hidden').waitFor();
    await until(async () => (await fetch(`${event.listen.stream.replace('/live/', '/replay/').replace('.mp4', '.m4a')}`)).status === 410, 'the hidden replay');
    const own = await page.locator('[src*="/replay/"]').first().getAttribute('src');
    assert.equal((await fetch(String(own))).status, 200, 'who runs the event hears it');
    await page.getByRole('button', { name: 'Show the replay again' }).click();
    await page.getByRole('button', { name: 'Hide the replay' }).waitFor();
    await context.close();
  }
  const page = await (await browser.newContext({ storageState: admin })).newPage();
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Delete the recording…' }).click();
  await page.getByRole('heading', { name: 'Delete the recording?' }).waitFor();
  await accessible(page, 'delete');
  await notTooWide(page, 'delete');
  await page.getByRole('button', { name: 'Delete the recording' }).click();
  await page.getByText('The recording was deleted on').waitFor();
  await page.context().close();
});
