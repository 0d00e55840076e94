/** The way between a microphone and the stage, in real Chromium: what a lossy one, a clean one and a blocked one are called, and which port is named. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultsOf, launch } from './browser.js';
import { lossy, through } from './proxy-lossy.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** Nobody is at port 9 ("discard"). */
const NOWHERE = 9;

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Awaited<ReturnType<typeof lossy>>} */ let proxy;

before(async () => {
  server = await startServer();
  event = await server.event('From far away');
  browser = await launch(await voice('ada'));
  proxy = await lossy(server.ports.stage);
});

after(async () => {
  await browser?.close();
  proxy?.close();
  await server?.stop();
});

/** Behind the stage, its sound by these ports. @param {string} name @param {{ udp: number, tcp: number }} ports */
async function backstage(name, ports) {
  const page = await (await browser.newContext()).newPage();
  page.on('dialog', (dialog) => void dialog.accept());
  await through(page, ports);
  await page.goto(event.stage);
  await page.getByLabel('Your name on stage').fill(name);
  await page.getByRole('button', { name: 'Turn on the microphone' }).click();
  await page.getByRole('button', { name: 'Go backstage' }).click();
  return page;
}

test('a clean way is good, one that loses 8 % is bad, and good again once it is clean', async () => {
  const page = await backstage('Ada', { udp: proxy.port, tcp: NOWHERE });
  const faults = faultsOf(page);
  const beside = await (await browser.newContext()).newPage();
  await beside.goto(event.stage);
  await beside.getByLabel('Your name on stage').fill('Ben');
  await beside.getByRole('button', { name: 'Run the event without a microphone' }).click();
  const row = beside.getByRole('list', { name: 'On stage' }).getByRole('listitem').filter({ hasText: 'Ada' });
  await page.getByText('Your connection is good.').waitFor();
  await page.getByText(/^(\d+ ms there and back, )?0\.0 % lost, \d+ ms uneven, over UDP\.$/).waitFor();
  await row.waitFor();
  assert.equal(await row.getByText('connection').count(), 0, 'a good one needs no word');
  proxy.lose(0.08);
  await page.getByText(/^Your connection is bad\. \d+ % of what (you say does not arrive|the others say does not reach you)\. Use a network cable/).waitFor();
  await page.getByText(/ (1[0-9]|[5-9])\.\d % lost, /).waitFor();
  await row.getByText('bad connection').waitFor();
  proxy.lose(0);
  await page.getByText('Your connection is good.').waitFor();
  await row.getByText('bad connection').waitFor({ state: 'hidden' });
  assert.deepEqual(faults, []);
  await page.context().close();
  await beside.context().close();
});

test('where UDP is blocked the page names its port, and the sound goes over TCP', async () => {
  const { stage } = server.ports;
  const page = await backstage('Ben', { udp: NOWHERE, tcp: stage });
  await page.getByText(`UDP port ${stage} seems to be blocked on the way to the stage, so your voice goes over TCP`).waitFor();
  await page.getByText(/ lost, \d+ ms uneven, over TCP\.$/).waitFor();
  await page.context().close();
});

test('where both are blocked the page names both, and nobody has a place', async () => {
  const at = `127.0.0.1:${server.ports.stage}`;
  const page = await backstage('Cleo', { udp: NOWHERE, tcp: NOWHERE });
  const words = `Your microphone’s sound does not get through to the stage. Something between you and it blocks UDP ${at} and TCP ${at}. Try another network, or ask whoever runs yours to open one of them.`;
  await page.getByRole('alert').filter({ hasText: words }).waitFor();
  await page.getByText('Your microphone is being connected…').waitFor();
  assert.equal(await page.getByRole('list', { name: 'On stage' }).getByText('Cleo').count(), 0);
  assert.ok(await page.getByRole('button', { name: 'Mute', exact: true }).isDisabled());
  await page.context().close();
});
