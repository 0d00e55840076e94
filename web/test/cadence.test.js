/** A stream that comes in larger pieces and in small ones again: the sound goes on without a stall or a jump, and whoever joins has enough in store. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { heard, launch, statsOf } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;
/** @type {import('./server.js').Event} */ let event;

before(async () => {
  server = await startServer();
  browser = await launch();
  event = await server.event('Larger pieces');
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test('the store grows before the pieces do, and shrinks after them', async () => {
  const page = await listen(0.2);
  await playerUntil(page, ({ rate, behind }) => rate === 1 && behind < 1);
  await sending(page, { announced: 1 });
  await playerUntil(page, ({ rate }) => rate < 1);
  await playerUntil(page, ({ rate, behind }) => rate === 1 && behind >= 1);
  const small = await statsOf(page);
  await sending(page, { cadence: 1 });
  await page.waitForFunction(() => /** @type {any} */ (globalThis).sent.pieces >= 6, null, { timeout: 30_000 });
  await sending(page, { announced: 0.2, cadence: 0.2 });
  await playerUntil(page, ({ rate }) => rate > 1);
  await playerUntil(page, ({ rate, behind }) => rate === 1 && behind < 1);
  const last = await statsOf(page);
  console.log('larger and small again', { small: small.behind, stalls: last.stalls, pauses: await heldUp(page) });
  assert.deepEqual({ gaps: last.gaps, jumps: last.jumps, reconnects: last.reconnects }, { gaps: 0, jumps: 0, reconnects: 0 });
  assert.deepEqual(await heldUp(page), [], 'sound that had been sent in time was there in time');
  await page.context().close();
});

test('who joins a stream that comes every four seconds has enough in store', async () => {
  const page = await listen(4);
  const first = await statsOf(page);
  assert.ok(first.behind + 0.5 >= 4, `${first.behind} s in store`);
  await page.waitForFunction(() => /** @type {any} */ (globalThis).sent.pieces >= 4, null, { timeout: 40_000 });
  const last = await statsOf(page);
  console.log('every four seconds', { first: first.behind, stalls: last.stalls, pauses: await heldUp(page) });
  assert.deepEqual({ gaps: last.gaps, jumps: last.jumps, reconnects: last.reconnects }, { gaps: 0, jumps: 0, reconnects: 0 });
  assert.deepEqual(await heldUp(page), []);
  await page.context().close();
});

/**
 * A page that listens to a stream that is sent so often.
 * @param {number} cadence in seconds
 */
async function listen(cadence) {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(relay, cadence);
  await page.goto(event.page);
  await page.waitForFunction((back) => fetch(document.querySelector('town-player')?.getAttribute('stream') ?? '', { method: 'HEAD' }).then((answer) => {
    const [, number] = (answer.headers.get('Townsquare-Edge') ?? '').split('.');
    return Number(number) > back * 5;
  }, () => false), cadence + 2, { timeout: 40_000, polling: 500 });
  await page.getByRole('button', { name: 'Listen' }).click();
  await heard(page);
  return page;
}

/** @param {Page} page @param {{ announced?: number, cadence?: number }} how */
const sending = (page, how) => page.evaluate((it) => Object.assign(/** @type {any} */ (globalThis).sent, it, { pieces: 0 }), how);

/** @param {Page} page @returns {Promise<string[]>} when the sound stood still although what was to come had come in time */
const heldUp = (page) => page.evaluate(() => /** @type {any} */ (globalThis).sent.heldUp);

/** @param {Page} page @param {(stats: any) => boolean} so */
async function playerUntil(page, so) {
  const until = Date.now() + 45_000;
  for (let stats = await statsOf(page); !so(stats); stats = await statsOf(page)) {
    assert.ok(Date.now() < until, JSON.stringify(stats));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * In the page: what fetch gives of the stream comes in the pieces that a busy relay would send.
 * @param {number} first its cadence at the beginning, in seconds
 */
function relay(first) {
  const sent = { announced: first, cadence: first, pieces: 0, at: 0, heldUp: /** @type {string[]} */ ([]) };
  Object.assign(globalThis, { sent });
  const ask = globalThis.fetch;
  globalThis.fetch = async (...args) => {
    const url = String(args[0]);
    if (!/\/live\/[^/]+\.mp4/.test(url) || args[1]?.method === 'HEAD') return ask(...args);
    const answer = await ask(url.replace('from=-1', `from=-${Math.ceil(first + 0.8)}`), args[1]);
    if (!answer.ok || !answer.body) return answer;
    let held = new Uint8Array(0);
    let said = 0;
    const add = /** @param {Uint8Array} bytes */ (bytes) => {
      const whole = new Uint8Array(held.length + bytes.length);
      whole.set(held);
      whole.set(bytes, held.length);
      held = whole;
    };
    /** How many of the held bytes are whole boxes, and where the first `moov` ends. */
    const whole = () => {
      let [at, init] = [0, 0];
      const view = new DataView(held.buffer);
      while (at + 8 <= held.length && at + view.getUint32(at) <= held.length) {
        const name = String.fromCharCode(...held.subarray(at + 4, at + 8));
        at += view.getUint32(at);
        if (name === 'moov') init = at;
      }
      return { at, init };
    };
    const facts = () => {
      const text = new TextEncoder().encode(`urn:townsquare:facts\0\0${JSON.stringify({ c: sent.announced * 1000 })}`);
      const box = new Uint8Array(32 + text.length);
      const view = new DataView(box.buffer);
      view.setUint32(0, box.length);
      box.set(new TextEncoder().encode('emsg'), 4);
      view.setUint8(8, 1);
      box.set(text, 32);
      return box;
    };
    const body = answer.body.getReader();
    return new Response(
      new ReadableStream({
        start(control) {
          const send = () => {
            if (said !== sent.announced) {
              const { init } = whole();
              if (!said && !init) return;
              if (init) control.enqueue(held.slice(0, init));
              held = held.slice(init);
              control.enqueue(facts());
              said = sent.announced;
            }
            const { at } = whole();
            if (!at || performance.now() - sent.at < sent.cadence * 1000 - 40) return;
            control.enqueue(held.slice(0, at));
            held = held.slice(at);
            sent.at = performance.now();
            sent.pieces += 1;
          };
          const timer = setInterval(send, 20);
          void (async () => {
            for (let next = await body.read(); !next.done; next = await body.read()) add(next.value);
            control.close();
          })().catch((error) => control.error(error)).finally(() => clearInterval(timer));
        },
        cancel: () => body.cancel(),
      }),
      { status: answer.status, headers: answer.headers },
    );
  };
  document.addEventListener('waiting', (happened) => {
    const audio = /** @type {HTMLAudioElement} */ (happened.target);
    const late = (performance.now() - sent.at) / 1000 - sent.cadence;
    if (audio.currentTime > 0.5 && late < 0.25) sent.heldUp.push(`at ${audio.currentTime} s, last sent ${late + sent.cadence} s ago`);
  }, true);
}
