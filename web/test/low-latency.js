/** hls.js, the field's own player of LL-HLS, on an otherwise empty page, and what it has to say. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const HLS = await readFile(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'), 'utf8');

/**
 * Plays until the sound moves. The page's policy must be bypassed: hls.js is no script of ours.
 * @param {import('playwright-core').Page} page on any page of the square
 * @param {string} url
 */
export async function playHls(page, url) {
  await page.waitForFunction((at) => fetch(at).then((answer) => answer.ok, () => false), url);
  await page.evaluate(HLS);
  await page.evaluate((at) => {
    const { Hls } = /** @type {any} */ (globalThis);
    document.body.innerHTML = '<audio id="hls"></audio>';
    const audio = /** @type {HTMLAudioElement} */ (document.getElementById('hls'));
    // As it comes: what its defaults make of our playlists is what people hear.
    const hls = new Hls();
    const seen = { began: Infinity, frozen: 0, parts: 0, segments: 0, stalls: 0, hiccups: 0, fatal: /** @type {string[]} */ ([]), latency: /** @type {number[]} */ ([]) };
    hls.once(Hls.Events.LEVEL_LOADED, () => {
      const from = performance.now();
      audio.addEventListener('playing', () => (seen.began = (performance.now() - from) / 1000), { once: true });
    });
    hls.on(Hls.Events.FRAG_LOADED, (/** @type {unknown} */ _, /** @type {any} */ data) => (data.part ? seen.parts++ : seen.segments++));
    hls.on(Hls.Events.ERROR, (/** @type {unknown} */ _, /** @type {any} */ data) => {
      if (data.fatal) seen.fatal.push(data.details);
      if (data.details !== 'bufferStalledError') return;
      // Sound that is there and does not move is a machine short of time; a stall is sound that has not come.
      const { buffered } = audio;
      const left = buffered.length ? buffered.end(buffered.length - 1) - audio.currentTime : 0;
      if (left > 0.3) seen.hiccups += 1;
      else seen.stalls += 1;
    });
    let ran = performance.now();
    setInterval(() => {
      const now = performance.now();
      if (now - ran > 500) seen.frozen += 1;
      ran = now;
    }, 50);
    setInterval(() => audio.currentTime > 0 && seen.latency.push(hls.latency), 500);
    hls.loadSource(at);
    hls.attachMedia(audio);
    void audio.play();
    Object.assign(globalThis, { seen });
  }, url);
  await page.waitForFunction(() => /** @type {HTMLAudioElement} */ (document.getElementById('hls')).currentTime > 1);
}

/** @param {import('playwright-core').Page} page */
export async function hlsSeen(page) {
  const seen = await page.evaluate(() => ({ .../** @type {any} */ (globalThis).seen, at: /** @type {HTMLAudioElement} */ (document.getElementById('hls')).currentTime }));
  const latency = seen.latency.toSorted((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  return { ...seen, p50: latency[latency.length >> 1], p99: latency[Math.floor(latency.length * 0.99)] };
}
