/** One whole event behind Debian's nginx with TLS, one host name, as docs/operators.md says: from the sign-in link to a seek in the replay. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { Boxes } from '../js/boxes.js';
import { faultsOf, given, goOnStage, heard, keepStream, launch } from './browser.js';
import { SAME, decode, envelope, heardAs, newest } from './hear.js';
import { hlsSeen, playHls } from './low-latency.js';
import { httpsPort, startProxy } from './proxy.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {Awaited<ReturnType<typeof startProxy>>} */ let proxy;
/** @type {import('playwright-core').Browser[]} */ const browsers = [];
/** @type {Page} */ let host;
/** @type {Page} */ let listener;
/** @type {string[][]} */ const faults = [];
/** @type {string[]} */ const plain = [];
let origin = '';
let path = '';
const id = () => path.split('/')[2];

before(async () => {
  const port = await httpsPort();
  origin = port === 443 ? 'https://localhost' : `https://localhost:${port}`;
  server = await startServer(origin);
  proxy = await startProxy(port, server.ports);
  browsers.push(await launch(await voice('ada')), await launch());
  [host, listener] = await Promise.all(
    browsers.map(async (browser) => {
      const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
      faults.push(faultsOf(page));
      page.on('request', (asked) => /^(https:\/\/localhost[:/]|blob:|data:)/.test(asked.url()) || plain.push(asked.url()));
      return page;
    }),
  );
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await proxy?.stop();
  await server?.stop();
});

test('the administrator signs in and opens an event', async () => {
  const link = await server.signInLink('ada', 'admin');
  assert.ok(link.startsWith(`${origin}/sign-in/`), link);
  await host.goto(link);
  await host.getByRole('main').getByRole('button').click();
  await host.getByRole('button', { name: 'Sign out' }).waitFor();
  const cookies = await host.context().cookies();
  assert.ok(cookies.length > 0, 'a session');
  for (const cookie of cookies) assert.ok(cookie.secure && cookie.httpOnly, `${cookie.name} is Secure and HttpOnly`);
  await host.goto(`${origin}/`);
  await host.getByRole('link', { name: 'New event' }).click();
  await host.getByLabel('Title').fill('Behind the gate');
  await host.getByRole('button', { name: 'Open the event' }).click();
  await host.waitForURL(/\/events\/(?!new)/);
  path = new URL(host.url()).pathname;
});

test('a speaker is on stage and a listener hears them', async (t) => {
  const policy = (await listener.request.get(origin + path)).headers()['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  await keepStream(listener);
  await listener.goto(origin + path);
  // Over HTTP/1.1 a browser has six connections to a name, and what is endless holds one each.
  assert.equal(await listener.evaluate(() => /** @type {PerformanceNavigationTiming} */ (performance.getEntriesByType('navigation')[0]).nextHopProtocol), 'h2');
  await listener.getByRole('button', { name: 'Listen' }).click();
  const link = await host.getByLabel('For hosts').inputValue();
  assert.ok(link.startsWith(`${origin}/stage/`), link);
  await goOnStage(host, link, 'Ada');
  await host.getByRole('button', { name: 'Go live' }).click();
  await host.getByText('Live.').waitFor();
  await heard(listener);
  await listener.locator('.player-line').getByText('Ada is speaking').waitFor();
  const spoken = envelope(await decode(await voice('ada')));
  const { same } = await heardAs(() => newest(listener, 10), spoken);
  t.diagnostic(`heard through nginx at ${origin}: ${same.toFixed(2)}`);
  assert.ok(same > SAME, `Ada is heard: ${same}`);
});

test('the proxy holds nothing back', async (t) => {
  const direct = arrivals((done) => get(`http://127.0.0.1:${server.ports.relay}/live/${id()}.mp4?from=-1`, done));
  const proxied = arrivals((done) => request(`${origin}/live/${id()}.mp4?from=-1`, { rejectUnauthorized: false }, done).end());
  await given(listener, 60);
  const [near, far] = [await direct(50), await proxied(50)];
  const later = [...far].filter(([number]) => near.has(number)).map(([number, at]) => at - Number(near.get(number))).slice(10).sort((a, b) => a - b);
  const p50 = later[later.length >> 1];
  t.diagnostic(`through nginx a fragment comes ${p50.toFixed(1)} ms later (p50 of ${later.length}), most ${later.at(-1)?.toFixed(1)} ms`);
  assert.ok(later.length >= 20, `${later.length} fragments`);
  // Both are read by this one process: what holds one up holds up the other. A buffer would hold back a fragment's length at least.
  assert.ok(p50 < 200, `held back by ${p50} ms`);
});

test('LL-HLS passes it with its parts', async (t) => {
  const page = await (await browsers[1].newContext({ ignoreHTTPSErrors: true, bypassCSP: true })).newPage();
  await page.goto(origin);
  await playHls(page, `${origin}/live/${id()}/main.m3u8`);
  await page.waitForFunction(() => /** @type {any} */ (globalThis).seen.parts > 5);
  const seen = await hlsSeen(page);
  t.diagnostic(`hls.js through nginx: parts ${seen.parts}, stalls ${seen.stalls}, latency p50 ${seen.p50.toFixed(2)} s`);
  assert.deepEqual(seen.fatal, []);
  await page.context().close();
});

test('after the end the replay is there and jumps', async () => {
  await host.getByRole('button', { name: 'End event' }).click();
  await host.getByRole('button', { name: 'End for everybody' }).click();
  await listener.locator('town-replay .seek').waitFor();
  const replay = listener.locator('town-replay');
  await replay.getByRole('button', { name: 'Play' }).click();
  await heard(listener);
  await replay.getByLabel('Place in the recording').fill('15');
  await listener.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.querySelector('audio#sound')).currentTime > 15.5);
  const ranged = await listener.request.get(`${origin}/replay/${id()}.m4a`, { headers: { Range: 'bytes=100-199' } });
  assert.equal(ranged.status(), 206);
  assert.equal((await ranged.body()).length, 100);
  assert.deepEqual(plain, [], 'everything came over https');
  assert.deepEqual(faults.flat(), []);
  const errors = (await proxy.errors()).split('\n').filter((line) => /\[(error|crit|alert|emerg)\]/.test(line));
  assert.deepEqual(errors, [], 'nginx has nothing to complain of');
});

/**
 * When each fragment of a stream arrives; to be asked once for the first so many.
 * @param {(done: (answer: import('node:http').IncomingMessage) => void) => import('node:http').ClientRequest} ask
 */
function arrivals(ask) {
  /** @type {Map<number, number>} */
  const at = new Map();
  const boxes = new Boxes();
  let [wanted, enough] = [Infinity, () => {}];
  const asked = ask((answer) => {
    answer.on('data', (bytes) => {
      for (const piece of boxes.push(bytes)) if (piece.kind === 'fragment') at.set(piece.number, performance.now());
      if (at.size >= wanted) enough();
    });
    answer.on('error', () => {});
  });
  asked.on('error', () => {});
  return async (/** @type {number} */ count) => {
    wanted = count;
    if (at.size < count) await new Promise((resolve) => (enough = () => resolve(null)));
    asked.destroy();
    return at;
  };
}
