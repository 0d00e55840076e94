/** A stream that comes in larger pieces and in small ones again: the sound goes on without a stall or a jump, and whoever joins has enough in store. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { given, heard, launch, statsOf } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** Seconds that the sending in the page lies behind the relay's: what a busy machine makes late is there in time all the same. */
const BEHIND = 20;
/** Longer than any store takes to grow or to shrink on a busy machine. */
const timeout = 150_000;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;
/** @type {import('./server.js').Event} */ let event;

before(async () => {
  server = await startServer();
  browser = await launch();
  event = await server.event('Larger pieces');
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  await relaySends(200);
  const edge = async () => Number((await fetch(event.listen.stream, { method: 'HEAD' })).headers.get('Townsquare-Edge')?.split('.')[1] ?? 0);
  while ((await edge()) < (BEHIND + 6) * 5) await new Promise((resolve) => setTimeout(resolve, 200));
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test('the store grows before the pieces do, and shrinks after them', async (t) => {
  const page = await listen(0.2);
  const little = /** @param {any} stats */ ({ rate, behind, margin }) => rate === 1 && behind < margin + 0.9;
  await playerUntil(page, little);
  await sending(page, { announced: 1.5 });
  await playerUntil(page, ({ rate }) => rate < 1);
  await playerUntil(page, ({ rate, behind, margin }) => rate === 1 && behind >= margin + 1.2);
  await sending(page, { cadence: 1.5 });
  await pieces(page, 5);
  await sending(page, { announced: 0.2, cadence: 0.2 });
  await playerUntil(page, ({ rate }) => rate > 1);
  await playerUntil(page, little);
  await undisturbed(t, page);
});

test('who joins a stream that comes every four seconds has enough in store', async (t) => {
  const page = await listen(4);
  await pieces(page, 4);
  await undisturbed(t, page);
});

test('a relay that sends less often, and often again, is followed without a gap', async (t) => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Listen' }).click();
  await heard(page);
  const before = await statsOf(page);
  for (const millis of [1000, 200]) {
    await relaySends(millis);
    // Workers without a listener have no stream to say it of.
    await metric(`townsquare_relay_cadence_streams{millis="${millis}"} 1`);
    await given(page, 15);
  }
  const { gaps, jumps, stalls } = await statsOf(page);
  t.diagnostic(`a relay at 1 s and at 200 ms again: ${stalls - before.stalls} stalls`);
  assert.deepEqual({ gaps, jumps }, { gaps: before.gaps, jumps: before.jumps });
  await page.context().close();
});

/** Fixes how often the relay sends. @param {number} millis */
const relaySends = (millis) => promisify(execFile)(binary, ['cadence', String(millis), '--data', server.data], { timeout });

/** Waits until a relay worker's metrics have a line. @param {string} line */
async function metric(line) {
  const until = Date.now() + timeout;
  for (let worker = 0; ; worker = 1 - worker) {
    const text = await fetch(`http://127.0.0.1:${server.ports.internal}/relay/${worker}/metrics`).then((answer) => answer.text(), () => '');
    if (text.split('\n').includes(line)) return;
    assert.ok(Date.now() < until, `${line} in\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * A page that listens to a stream that is sent so often.
 * @param {number} cadence in seconds
 */
async function listen(cadence) {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(relay, { first: cadence, back: BEHIND });
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Listen' }).click();
  await heard(page);
  return page;
}

/** @param {Page} page @param {{ announced?: number, cadence?: number }} how */
const sending = (page, how) => page.evaluate((it) => Object.assign(/** @type {any} */ (globalThis).sent, it, { pieces: 0 }), how);

/** Waits until so many pieces were sent as they are now. @param {Page} page @param {number} count */
const pieces = (page, count) => page.waitForFunction((to) => /** @type {any} */ (globalThis).sent.pieces >= to, count, { timeout });

/**
 * The listener noticed nothing, whatever the machine did.
 * @param {import('node:test').TestContext} t
 * @param {Page} page
 */
async function undisturbed(t, page) {
  const { gaps, jumps, stalls, reconnects } = await statsOf(page);
  const { heldUp, frozen } = await page.evaluate(() => /** @type {any} */ (globalThis).sent);
  t.diagnostic(`${stalls} stalls, ${reconnects} reconnections, the page stood still for ${frozen.toFixed(2)} s at most`);
  assert.deepEqual({ gaps, jumps }, { gaps: 0, jumps: 0 });
  // Only a page that stood still for seconds may believe that its connection is broken.
  if (frozen < 1) assert.equal(reconnects, 0);
  assert.deepEqual(heldUp, [], 'the sound never ran out before the next piece was due');
  await page.context().close();
}

/** @param {Page} page @param {(stats: any) => boolean} so */
async function playerUntil(page, so) {
  const until = Date.now() + timeout;
  for (let stats = await statsOf(page); !so(stats); stats = await statsOf(page)) {
    assert.ok(Date.now() < until, JSON.stringify(stats));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * In the page: what fetch gives of the stream comes in the pieces that a busy relay would send, by a clock that lies behind the true one.
 * @param {{ first: number, back: number }} how its cadence at the beginning and how far the clock lies behind, in seconds
 */
function relay({ first, back }) {
  const SLOT = 200;
  const ahead = Math.ceil((first + 0.8) * 5);
  const sent = { announced: first, cadence: first, pieces: 0, due: 0, last: -1, begin: -1, zero: 0, frozen: 0, heldUp: /** @type {string[]} */ ([]) };
  Object.assign(globalThis, { sent });
  const ask = globalThis.fetch;
  let ran = performance.now();
  setInterval(() => {
    const now = performance.now();
    sent.frozen = Math.max(sent.frozen, (now - ran) / 1000);
    ran = now;
  }, 20);
  globalThis.fetch = async (...args) => {
    const url = String(args[0]);
    if (!/\/live\/[^/]+\.mp4/.test(url) || args[1]?.method === 'HEAD') return ask(...args);
    const answer = await ask(url.replace('from=-1', `from=-${back + Math.ceil(first)}`), args[1]);
    if (!answer.ok || !answer.body) return answer;
    let held = new Uint8Array(0);
    /** @type {{ number: number, bytes: Uint8Array[] }[]} */
    const waiting = [];
    /** @type {Uint8Array[]} */
    let begun = [];
    let [said, number, isNew] = [0, -1, true];
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
          const take = /** @param {Uint8Array} bytes */ (bytes) => {
            const whole = new Uint8Array(held.length + bytes.length);
            whole.set(held);
            whole.set(bytes, held.length);
            held = whole;
            for (;;) {
              const view = new DataView(held.buffer, held.byteOffset, held.length);
              if (held.length < 8 || held.length < view.getUint32(0)) return;
              const box = held.slice(0, view.getUint32(0));
              held = held.subarray(box.length);
              const name = String.fromCharCode(...box.subarray(4, 8));
              // How often the relay itself sends is no matter here.
              if (name === 'emsg' && /"c":/.test(new TextDecoder().decode(box))) continue;
              begun.push(box);
              if (name === 'moof') number = new DataView(box.buffer).getUint32(20) - 1;
              if (name === 'moov') begun.splice(0).forEach((one) => control.enqueue(one));
              if (name === 'mdat') waiting.push({ number, bytes: begun.splice(0) });
            }
          };
          const send = () => {
            const now = performance.now();
            if (sent.begin < 0) {
              // Enough is there to begin with, and as much again for whatever comes late.
              if (waiting.length < ahead + 5) return;
              sent.begin = waiting[0].number;
              sent.zero = sent.due = now;
            }
            if (said !== sent.announced) {
              said = sent.announced;
              control.enqueue(facts());
            }
            if (!isNew && now < sent.due) return;
            isNew = false;
            while (sent.due <= now) sent.due += sent.cadence * 1000;
            const open = sent.begin + ahead + Math.floor((now - sent.zero) / SLOT);
            const piece = waiting.splice(0, waiting.filter((one) => one.number < open).length);
            for (const one of piece) {
              sent.last = one.number;
              one.bytes.forEach((bytes) => control.enqueue(bytes));
            }
            if (piece.length) sent.pieces += 1;
          };
          const timer = setInterval(send, 20);
          void (async () => {
            for (let next = await body.read(); !next.done; next = await body.read()) take(next.value);
            control.close();
          })().catch((error) => control.error(error)).finally(() => clearInterval(timer));
        },
        cancel: () => body.cancel(),
      }),
      { status: answer.status, headers: answer.headers },
    );
  };
  const end = /** @param {EventTarget | null} audio */ (audio) => {
    const { buffered } = /** @type {HTMLAudioElement} */ (audio);
    return buffered.length ? buffered.end(buffered.length - 1) : 0;
  };
  document.addEventListener('waiting', ({ target }) => {
    const { currentTime } = /** @type {HTMLAudioElement} */ (target);
    // What was sent is all in the buffer, and all was heard, and the next piece is not due: there was too little in store.
    const isAllThere = end(target) > ((sent.last + 1 - sent.begin) * SLOT) / 1000 - 0.1;
    if (currentTime > 0.5 && isAllThere && end(target) - currentTime < 0.1 && performance.now() < sent.due) {
      sent.heldUp.push(`at ${currentTime} s, ${Math.round(sent.due - performance.now())} ms before the next piece`);
    }
  }, true);
}
