/** A replay of six hours: a short header, and a jump near its end that sounds at once and costs little. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import puppeteer from 'puppeteer-core';
import { PATIENCE_MILLIS, launch } from './browser.js';
import { record, recorded } from './recording.js';
import { binary, startServer } from './server.js';

const run = promisify(execFile);
const FRAGMENTS_PER_SECOND = 5;
const [HOURS_SECONDS, PLACE_SECONDS] = [6 * 3600, 5.5 * 3600];
/** The tone that is heard for a minute around the place, and the one that is heard elsewhere. */
const [HERE_HZ, ELSEWHERE_HZ] = [1320, 440];
const [HEADER_BYTES_MAX, JUMP_BYTES_MAX] = [50_000, 300_000];
/** 256 kbit/s: what is loaded before the sound is what the browser needs for it, not what a busy machine can copy meanwhile. */
const BYTES_PER_SECOND = 32_000;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;

before(async () => {
  server = await startServer();
  const tones = await Promise.all([HERE_HZ, ELSEWHERE_HZ].map(toneEvent));
  event = tones[1].event;
  const place = /** @param {number} n */ (n) => Math.abs(n / FRAGMENTS_PER_SECOND - PLACE_SECONDS) < 30;
  await server.restart(async (data) => {
    const [here, elsewhere] = await Promise.all(tones.map((one) => recorded(join(data, 'events', one.event.id)).then((all) => all[all.length >> 1])));
    await record(join(data, 'events', event.id), HOURS_SECONDS * FRAGMENTS_PER_SECOND, (n) => (place(n) ? here : elsewhere));
  });
});

after(() => server?.stop());

test('the header of six hours is short', async (t) => {
  const answer = await fetch(await replayOf(), { headers: { Range: `bytes=0-${HEADER_BYTES_MAX - 1}` } });
  assert.equal(answer.status, 206);
  const bytes = Buffer.from(await answer.arrayBuffer());
  let at = 0;
  while (bytes.toString('latin1', at + 4, at + 8) !== 'mdat') {
    at += bytes.readUInt32BE(at);
    assert.ok(at + 8 <= bytes.length, `no sound within ${HEADER_BYTES_MAX} bytes`);
  }
  t.diagnostic(`header of six hours: ${at + 16} B`);
});

test('Chromium jumps to 5:30:00', async (t) => {
  const browser = await launch();
  try {
    await jump(t, 'chromium', /** @type {Page} */ (/** @type {unknown} */ (await browser.newPage())));
  } finally {
    await browser.close();
  }
});

test('Firefox jumps to 5:30:00', async (t) => {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    timeout: PATIENCE_MILLIS,
    extraPrefsFirefox: { 'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0 },
  });
  try {
    await jump(t, 'firefox', /** @type {Page} */ (/** @type {unknown} */ (await browser.newPage())));
  } finally {
    await browser.close();
  }
});

/**
 * What both drivers' pages can.
 * @typedef {object} Page
 * @property {(url: string) => Promise<unknown>} goto
 * @property {(selector: string) => Promise<unknown>} waitForSelector
 * @property {<A, R>(task: (argument: A) => R, argument: A) => Promise<Awaited<R>>} evaluate
 */

/**
 * Plays the replay from its start, then jumps with the page's own control.
 * @param {import('node:test').TestContext} t
 * @param {string} name
 * @param {Page} page
 */
async function jump(t, name, page) {
  server.air.slow(BYTES_PER_SECOND);
  const before = server.air.passed();
  await page.goto(event.page);
  await page.waitForSelector('town-replay .seek:enabled');
  const opened = server.air.passed() - before;
  await page.evaluate(listenFor, [HERE_HZ, ELSEWHERE_HZ]);
  const start = await soundAfter(page, ELSEWHERE_HZ, { press: 'town-replay .listen' });
  const place = await soundAfter(page, HERE_HZ, { seek: PLACE_SECONDS });
  const kilobytes = /** @param {number} bytes */ (bytes) => `${Math.round(bytes / 1000)} kB`;
  t.diagnostic(`${name}: opened ${kilobytes(opened)}; start ${start.millis} ms, ${kilobytes(start.bytes)}; jump to 5:30:00 ${place.millis} ms, ${kilobytes(place.bytes)}`);
  assert.ok(place.told || name === 'firefox', 'the tone of the place is heard');
  assert.ok(Math.abs(place.at - PLACE_SECONDS) < 10, `heard at ${place.at} s`);
  assert.ok(opened + place.bytes < JUMP_BYTES_MAX, `header ${opened} B, jump ${place.bytes} B`);
}

/**
 * Does one thing with the page's own controls and waits until a tone is heard.
 * @param {Page} page
 * @param {number} tone
 * @param {{ press?: string, seek?: number }} doing
 */
async function soundAfter(page, tone, doing) {
  const before = server.air.passed();
  const heard = await page.evaluate(actAndHear, { tone, ...doing });
  return { ...heard, bytes: server.air.passed(heard.when) - before };
}

/**
 * In the page: opens an ear on its sound. Between origins only sound that was asked for with CORS may be looked at.
 * Firefox looks at no sound on a machine without a sound card; there the ear hears that time moves.
 * @param {number[]} tones
 */
function listenFor(tones) {
  const audio = /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'));
  audio.crossOrigin = 'anonymous';
  let [before, place] = [0, 0];
  const context = new AudioContext();
  const ear = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
  context.createMediaElementSource(audio).connect(ear).connect(context.destination);
  void context.resume();
  const levels = new Float32Array(ear.frequencyBinCount);
  const level = /** @param {number} hz */ (hz) => levels[Math.round((hz * ear.fftSize) / context.sampleRate)];
  /** The tone that is heard now: 0 for none, -1 for one that can't be told. */
  const tone = () => {
    [before, place] = [place, audio.currentTime];
    if (context.state !== 'running') return before < place && place < before + 1 ? -1 : 0;
    ear.getFloatFrequencyData(levels);
    const loudest = tones.toSorted((a, b) => level(b) - level(a))[0];
    return level(loudest) > -60 ? loudest : 0;
  };
  Object.assign(globalThis, { tone });
}

/**
 * In the page.
 * @param {{ tone: number, press?: string, seek?: number }} doing
 * @returns {Promise<{ when: number, millis: number, at: number, told: boolean }>} `told`: that it is this tone
 */
function actAndHear({ tone, press, seek }) {
  const from = performance.now();
  if (press) /** @type {HTMLElement} */ (document.querySelector(press)).click();
  if (seek !== undefined) {
    const control = /** @type {HTMLInputElement} */ (document.querySelector('town-replay .seek'));
    control.value = String(seek);
    control.dispatchEvent(new Event('input', { bubbles: true }));
  }
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const heard = /** @type {any} */ (globalThis).tone();
      if (heard !== tone && heard !== -1) return;
      clearInterval(timer);
      resolve({ when: Date.now(), millis: Math.round(performance.now() - from), at: document.querySelector('audio')?.currentTime ?? 0, told: heard === tone });
    }, 5);
  });
}

/** @returns {Promise<string>} */
async function replayOf() {
  const page = await (await fetch(event.page)).text();
  return /<town-replay[^>]* src="([^"]+)"/.exec(page)?.[1] ?? '';
}

/**
 * An event of a few seconds in which a tone was heard.
 * @param {number} hz
 */
async function toneEvent(hz) {
  const place = await mkdtemp(join(tmpdir(), 'townsquare-tone-'));
  const file = join(place, 'tone.wav');
  await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `sine=frequency=${hz}:sample_rate=48000:duration=10`, '-af', 'volume=10dB', '-c:a', 'pcm_s16le', file]);
  const made = await server.event(`A tone of ${hz} Hz`);
  const speaker = spawn(binary, ['speak', made.stage, file, '--loop'], { stdio: 'ignore' });
  try {
    await fourSecondsOf(made.listen.stream);
    await server.cli('event', 'end', made.id);
  } finally {
    speaker.kill();
    await rm(place, { recursive: true, force: true });
  }
  return { event: made };
}

/** @param {string} stream */
async function fourSecondsOf(stream) {
  while (!(await fetch(stream, { method: 'HEAD' })).ok) await new Promise((resolve) => setTimeout(resolve, 100));
  await run(binary, ['listen', stream, '--seconds', '4', '--json'], { timeout: 60_000 });
}
