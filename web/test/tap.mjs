/**
 * From the press of "Listen" to the first sound, in a real browser, again and again: `npm run tap`, and a row of `bin/bench live`.
 * Prints one line of JSON: presses, and milliseconds at the median and the 99th percentile.
 */
import { spawn } from 'node:child_process';
import { launch } from './browser.js';
import { binary, startServer } from './server.js';
import { voice } from './voice.js';

const PRESSES = 100;

const server = await startServer();
const browser = await launch();
/** @type {import('node:child_process').ChildProcess | undefined} */
let speaker;
try {
  const event = await server.event('A press away');
  speaker = spawn(binary, ['speak', event.stage, await voice('ada'), '--loop'], { stdio: 'ignore' });
  const page = await (await browser.newContext()).newPage();
  await page.goto(event.page);
  const button = page.getByRole('button', { name: 'Listen' });
  await page.locator('town-player[phase=live]').waitFor();
  const times = [];
  for (let press = 0; press < PRESSES; press += 1) {
    times.push(await page.evaluate(firstSound));
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await button.waitFor();
  }
  times.sort((a, b) => a - b);
  const at = /** @param {number} share */ (share) => Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))]);
  process.stdout.write(`${JSON.stringify({ presses: PRESSES, p50_ms: at(0.5), p99_ms: at(0.99) })}\n`);
} finally {
  speaker?.kill();
  await browser.close();
  await server.stop();
}

/** Presses the button and waits until what was fetched since is being played and the element's clock runs on it. */
function firstSound() {
  const audio = /** @type {HTMLAudioElement} */ (document.getElementById('sound'));
  const before = audio.currentSrc;
  const pressed = performance.now();
  /** @type {HTMLButtonElement} */ (document.querySelector('town-player .listen')).click();
  return new Promise((resolve) =>
    audio.addEventListener('playing', function playing() {
      if (audio.currentSrc === before) return;
      audio.removeEventListener('playing', playing);
      const from = audio.currentTime;
      const look = () => (audio.currentTime > from ? resolve(performance.now() - pressed) : setTimeout(look, 1));
      look();
    }),
  );
}
