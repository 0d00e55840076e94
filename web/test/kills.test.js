/** Processes that die under a listener: the relay, without a missing fragment; the square, without a sound of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faultsOf, given, heard, keepStream, launch, statsOf, streamOf } from './browser.js';
import { fragments } from './hear.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {import('node:child_process').ChildProcess} */ let speaker;
/** @type {import('playwright-core').Page} */ let listener;

before(async () => {
  server = await startServer();
  browser = await launch();
  const event = await server.event('Whatever dies');
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  listener = await (await browser.newContext()).newPage();
  await keepStream(listener);
  await listener.goto(event.page);
  await listener.getByRole('button', { name: 'Listen' }).click();
  await heard(listener);
  await listener.evaluate(watchClock);
});

after(async () => {
  speaker?.kill();
  await browser?.close();
  await server?.stop();
});

test('every relay worker is killed, and not a fragment is missing', async (t) => {
  const workers = (await readdir(join(server.data, 'run'))).filter((name) => /^relay-\d+\.pid$/.test(name)).map((name) => name.replace('.pid', ''));
  assert.ok(workers.length > 0);
  for (let round = 0; round < 3; round += 1) {
    await still();
    const before = await statsOf(listener);
    await Promise.all(workers.map((worker) => server.kill(worker)));
    await given(listener, 25);
    const after = await statsOf(listener);
    assert.ok(after.reconnects > before.reconnects, 'the connection broke');
    t.diagnostic(`relay killed: the sound stood still for ${await still()} ms, ${after.gaps} fragments missing`);
    assert.equal(after.gaps, 0);
    assert.equal(after.jumps, before.jumps);
  }
  const { pieces } = fragments(await streamOf(listener));
  const numbers = new Set(pieces.map((piece) => piece.number));
  const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
  assert.equal(numbers.size, last - first + 1, 'every number has come');
});

test('the square is killed: the sound does not notice, the next page comes', async (t) => {
  const faults = faultsOf(listener);
  await still();
  const before = await statsOf(listener);
  await server.kill('square');
  const asked = Date.now();
  await listener.locator('.masthead').getByRole('link', { name: 'Sign in' }).click();
  await listener.waitForURL(/sign-in/);
  await listener.getByRole('heading', { name: 'Sign in' }).waitFor();
  t.diagnostic(`square killed: the next page came after ${Date.now() - asked} ms`);
  await listener.locator('.masthead').getByRole('link', { name: 'Events' }).click();
  await listener.getByRole('link', { name: /^Live.*Whatever dies/ }).click();
  await listener.locator('town-player[data-state="playing"]').waitFor();
  await given(listener, 15);
  const after = await statsOf(listener);
  assert.deepEqual({ reconnects: after.reconnects, gaps: after.gaps }, { reconnects: before.reconnects, gaps: before.gaps });
  t.diagnostic(`square killed: the sound stood still for ${await still()} ms, ${after.stalls - before.stalls} stalls`);
  assert.deepEqual(faults, []);
});

/** Keeps in the page for how long its sound stood still at most. */
function watchClock() {
  const audio = /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound'));
  const clock = { still: 0 };
  let [at, since] = [audio.currentTime, performance.now()];
  setInterval(() => {
    const now = performance.now();
    if (audio.currentTime === at) clock.still = Math.max(clock.still, now - since);
    else [at, since] = [audio.currentTime, now];
  }, 10);
  Object.assign(globalThis, { clock });
}

/** For how long the sound stood still at most since this was asked last, in milliseconds. */
async function still() {
  return Math.round(await listener.evaluate(() => {
    const { clock } = /** @type {any} */ (globalThis);
    const most = clock.still;
    clock.still = 0;
    return most;
  }));
}
