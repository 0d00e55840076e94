/** By hand: the picture of the README, `npm run picture`, taken from a live event with two speakers and a few listeners. */
import { fileURLToPath } from 'node:url';
import { goOnStage, launch } from './browser.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

const PICTURE = fileURLToPath(new URL('../../docs/event.png', import.meta.url));
const LISTENERS = 17;

const server = await startServer();
const browsers = await Promise.all([launch(await voice('ada')), launch(await voice('ben'))]);
const crowd = new AbortController();
try {
  const event = await server.event('Town meeting: the new bridge');
  const { speakers } = await server.cli('event', 'show', event.id);
  const [ada, ben] = await Promise.all(browsers.map(async (browser) => (await browser.newContext()).newPage()));
  await goOnStage(ada, event.stage, 'Ada Lovelace');
  await ada.getByRole('button', { name: 'Go live' }).click();
  await goOnStage(ben, speakers, 'Ben Okri');
  const context = await browsers[0].newContext({ viewport: { width: 800, height: 540 }, deviceScaleFactor: 2, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(event.page);
  await page.getByRole('button', { name: 'Listen' }).click();
  for (let i = 1; i < LISTENERS; i += 1) void fetch(event.listen.stream, { signal: crowd.signal }).catch(() => {});
  await page.mouse.move(0, 0);
  await page.getByText(`${LISTENERS} listening`).waitFor();
  await page.locator('.player-line').getByText('are speaking').waitFor();
  await page.screenshot({ path: PICTURE });
} finally {
  crowd.abort();
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server.stop();
}
