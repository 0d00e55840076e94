/** Browsers for the tests: Debian's Chromium with a voice as its microphone, and pages that keep what they hear. */
import { chromium } from 'playwright-core';

/** Longer than anything takes on a busy machine; reached only by a failure. */
export const PATIENCE_MILLIS = 60_000;

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];

/**
 * @param {string} [voice] the WAV that is its microphone, over and over
 * @param {...string} more arguments; one of them takes the place of another of its name
 */
export async function launch(voice, ...more) {
  const name = /** @param {string} argument */ (argument) => argument.split('=')[0];
  const args = [...ARGS.filter((one) => !more.some((other) => name(other) === name(one))), ...more];
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    timeout: PATIENCE_MILLIS,
    // People's browsers keep the page that they come back to.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: voice ? [...args, `--use-file-for-fake-audio-capture=${voice}`] : args,
  });
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(PATIENCE_MILLIS);
    return context;
  };
  return browser;
}

/**
 * What went wrong in a page, kept from its first moment.
 * @param {import('playwright-core').Page} page
 */
export function faultsOf(page) {
  /** @type {string[]} */
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // A refused request is an answer to be handled, which the browser reports all the same.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
  });
  return faults;
}

/**
 * From now on the page keeps the bytes of every live stream that it fetches.
 * @param {import('playwright-core').Page} page
 */
export const keepStream = (page) =>
  page.addInitScript(() => {
    const kept = /** @type {number[][]} */ ([]);
    Object.assign(globalThis, { kept });
    const ask = globalThis.fetch;
    globalThis.fetch = async (...args) => {
      const answer = await ask(...args);
      const method = args[1]?.method ?? 'GET';
      if (!answer.ok || !answer.body || method !== 'GET' || !/\/live\/[^/]+\.mp4/.test(answer.url)) return answer;
      const through = new TransformStream({
        transform(chunk, control) {
          kept.push(Array.from(chunk));
          control.enqueue(chunk);
        },
      });
      return new Response(answer.body.pipeThrough(through), { status: answer.status, headers: answer.headers });
    };
  });

/**
 * @param {import('playwright-core').Page} page
 * @returns {Promise<Uint8Array>}
 */
export async function streamOf(page) {
  const text = await page.evaluate(() => {
    const bytes = /** @type {{ kept: number[][] }} */ (/** @type {unknown} */ (globalThis)).kept.flat();
    let out = '';
    for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.slice(i, i + 8192));
    return btoa(out);
  });
  return Buffer.from(text, 'base64');
}

/**
 * What the stage sends back to a speaker, recorded in the speaker's own page.
 * @param {import('playwright-core').Page} page
 * @param {number} seconds
 * @returns {Promise<Uint8Array>}
 */
export async function downlinkOf(page, seconds) {
  const text = await page.evaluate(async (millis) => {
    const audio = /** @type {HTMLAudioElement} */ (document.querySelector('town-console audio[autoplay]'));
    const recorder = new MediaRecorder(/** @type {MediaStream} */ (audio.srcObject), { mimeType: 'audio/webm;codecs=opus', audioBitsPerSecond: 96_000 });
    /** @type {Blob[]} */
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.start();
    await new Promise((resolve) => setTimeout(resolve, millis));
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.stop();
    await stopped;
    const reader = new FileReader();
    const read = new Promise((resolve) => (reader.onload = resolve));
    reader.readAsDataURL(new Blob(parts));
    await read;
    return String(reader.result).split(',')[1];
  }, seconds * 1000);
  return Buffer.from(text, 'base64');
}

/**
 * Opens a stage link and goes on stage: while the event is live, from behind it.
 * @param {import('playwright-core').Page} page
 * @param {string} link
 * @param {string} name
 */
export async function goOnStage(page, link, name) {
  await page.goto(link);
  await page.getByLabel('Your name on stage').fill(name);
  await page.getByRole('button', { name: 'Turn on the microphone' }).click();
  await stepOnStage(page);
}

/**
 * From the choice of a microphone to the stage.
 * @param {import('playwright-core').Page} page
 */
export async function stepOnStage(page) {
  await page.getByRole('button', { name: 'Go backstage' }).click();
  await page.locator('town-console:is([data-phase="backstage"], [data-phase="doors"], [data-phase="live"])[data-place]').waitFor();
  if (await page.locator('town-console[data-phase="live"][data-place="backstage"]').count()) await page.getByRole('button', { name: 'Step on stage' }).click();
  await page.locator('town-console[data-place="stage"]').waitFor();
}

/**
 * Holds what a page posts to an address from now on until it is released.
 * @param {import('playwright-core').Page} page
 * @param {RegExp} address
 */
export async function hold(page, address) {
  /** @type {import('playwright-core').Route[]} */
  const sent = [];
  let held = true;
  await page.route(address, async (route) => {
    if (route.request().method() === 'POST') sent.push(route);
    if (!held || route.request().method() !== 'POST') await route.continue();
  });
  const release = async () => {
    held = false;
    for (const route of sent) await route.continue();
    await page.unroute(address);
  };
  return { sent, release };
}

/**
 * Has a console's page order what no button of it does, with the ticket of its link.
 * @param {import('playwright-core').Page} page
 * @param {object} action
 */
export const order = (page, action) =>
  page.evaluate(async (action) => {
    const stage = document.querySelector('town-console');
    const address = `${stage?.getAttribute('console')}?key=${'k'.repeat(20)}`;
    const answer = await fetch(address, { method: 'POST', headers: { Authorization: `Bearer ${stage?.getAttribute('token')}` }, body: JSON.stringify(action) });
    if (!answer.ok) throw new Error(await answer.text());
  }, action);

/**
 * What the browser itself tells a screen reader of the first element that fits: its name, and how urgent its changes are.
 * @param {import('playwright-core').Page} page
 * @param {string} selector
 */
export async function readOut(page, selector) {
  const debug = await page.context().newCDPSession(page);
  const { root } = await debug.send('DOM.getDocument');
  const { nodeId } = await debug.send('DOM.querySelector', { nodeId: root.nodeId, selector });
  const { nodes } = await debug.send('Accessibility.getPartialAXTree', { nodeId, fetchRelatives: false });
  await debug.detach();
  return { name: nodes[0].name?.value, live: nodes[0].properties?.find((one) => one.name === 'live')?.value.value };
}

/** What has the focus, by its name. @param {import('playwright-core').Page} page @returns {Promise<string>} */
export const focused = (page) =>
  page.evaluate(() => {
    const at = /** @type {HTMLInputElement | null} */ (document.activeElement);
    return (at?.ariaLabel || at?.labels?.[0]?.textContent || at?.textContent?.slice(0, 60) || '').trim();
  });

/**
 * Presses Tab until something has the focus: whoever has no mouse gets there.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
export async function tabTo(page, name) {
  /** @type {string[]} */
  const passed = [];
  for (let at = await focused(page); at !== name; at = await focused(page)) {
    if (passed.push(at) > 160) throw new Error(`Tab does not reach ${name}: ${passed.join(' | ')}`);
    await page.keyboard.press('Tab');
  }
}

/** @param {import('playwright-core').Page} page */
export const statsOf = (page) =>
  page.evaluate(() => {
    const player = /** @type {HTMLElement & { stats: Record<string, number | string> } | null} */ (document.querySelector('town-player'));
    const audio = /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'));
    return { .../** @type {any} */ (player?.stats), at: audio.currentTime, paused: audio.paused };
  });

/**
 * Waits until the page's sound moves.
 * @param {import('playwright-core').Page} page
 */
export async function heard(page) {
  const at = await page.evaluate(() => document.querySelector('audio')?.currentTime ?? 0);
  await page.waitForFunction(
    (from) => {
      const audio = /** @type {HTMLAudioElement | null} */ (document.querySelector('audio#sound'));
      return audio && !audio.paused && Math.abs(audio.currentTime - from) > 0.3;
    },
    at,
  );
}

/**
 * Waits until the page's player was given so many more fragments of 200 ms.
 * @param {import('playwright-core').Page} page
 * @param {number} count
 */
export async function given(page, count) {
  const from = Number((await statsOf(page)).fragments);
  await page.waitForFunction((to) => /** @type {any} */ (document.querySelector('town-player'))?.stats.fragments >= to, from + count, {
    timeout: PATIENCE_MILLIS + count * 200,
  });
}
