/** Connections that are lost, in real browsers: a place on stage is held meanwhile, and who comes back is heard; with nobody left there is the hold sound, then the end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { PATIENCE_MILLIS, faultsOf, goOnStage, heard, keepStream, launch, order, streamOf } from './browser.js';
import { SAME, decibels, decode, envelope, heardAs, newest } from './hear.js';
import { lossy, through } from './proxy-lossy.js';
import { binary, startServer, wire } from './server.js';
import { voice } from './voice.js';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startServer>>} */ let server;
/** @type {import('./server.js').Event} */ let event;
/** @type {import('playwright-core').Browser[]} */ const browsers = [];
/** The ways between Ben's browser and the stage: its HTTP and sound over TCP, and sound over UDP. @type {Awaited<ReturnType<typeof wire>>} */ let line;
/** @type {Awaited<ReturnType<typeof lossy>>} */ let air;
/** @type {Page} */ let ada;
/** @type {Page} */ let ben;
/** @type {Page} */ let listener;
/** Who hears an event that everybody has left. @type {Page} */ let last;

const onStage = /** @param {string} name */ (name) => ada.getByRole('list', { name: 'On stage' }).getByRole('listitem').filter({ hasText: name });
const press = /** @param {Page} page @param {string} name */ (page, name) => page.getByRole('button', { name, exact: true }).click();

before(async () => {
  server = await startServer();
  event = await server.event('From the train');
  [line, air] = [await wire(server.ports.stage), await lossy(server.ports.stage)];
  browsers.push(await launch(await voice('ada')), await launch(await voice('ben'), `--host-resolver-rules=MAP localhost:${server.ports.stage} 127.0.0.1:${line.port}`));
  [ada, listener, ben] = await Promise.all([0, 0, 1].map(async (of) => (await browsers[of].newContext()).newPage()));
  for (const page of [ada, ben]) page.on('dialog', (dialog) => void dialog.accept());
  const [empty] = await Promise.all([server.event('Everybody has left', '--empty-minutes', '1'), goOnStage(ada, event.stage, 'Ada')]);
  await order(ada, { do: 'go-live', yes: true });
  await through(ben, { udp: air.port, tcp: line.port });
  const { speakers } = await server.cli('event', 'show', event.id);
  await goOnStage(ben, speakers, 'Ben');
  // Its minute passes beside what is shown first.
  last = await (await browsers[0].newContext()).newPage();
  const speaker = spawn(binary, ['speak', empty.stage, await voice('ada'), '--loop', '--name', 'Gus'], { stdio: 'ignore' });
  try {
    await keepStream(last);
    await last.goto(empty.page);
    await press(last, 'Listen');
    await heard(last);
    await last.locator('.player-line').getByText('Gus is speaking').waitFor();
  } finally {
    speaker.kill('SIGKILL');
  }
});

after(async () => {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  line?.close();
  air?.close();
  await server?.stop();
});

test('a place is held through a lost connection, and who comes back has it again and is heard', async () => {
  const faults = faultsOf(ben);
  await ada.getByLabel('More for Ben').click();
  await press(ada, 'Make co-host: Ben');
  await onStage('Ben').getByText('co-host').waitFor();
  await press(ada, 'Mute');
  await ada.getByText('You are muted. Nobody hears you.').waitFor();
  await keepStream(listener);
  await listener.goto(event.page);
  await press(listener, 'Listen');
  await heard(listener);
  await listener.locator('.player-line').getByText('Ben is speaking').waitFor();
  air.lose(1);
  line.cut();
  await ben.getByText('Connection lost. Coming back by itself…').waitFor();
  await onStage('Ben').getByText('co-host, away').waitFor();
  await onStage('Ben').and(ada.locator('.speaks')).waitFor({ state: 'detached' });
  await listener.locator('.player-line').getByText('Ben').waitFor({ state: 'detached' });
  // Whoever has no place comes no further than behind the stage now.
  await press(ada, 'Lock the stage');
  await ada.getByRole('button', { name: 'Unlock the stage' }).waitFor();
  air.lose(0);
  line.mend();
  await onStage('Ben').getByText('away').waitFor({ state: 'detached' });
  await onStage('Ben').getByText('co-host', { exact: true }).waitFor();
  await onStage('Ben').and(ada.locator('.speaks')).waitFor();
  assert.equal(await onStage('Ben').count(), 1, 'the place is the same');
  assert.equal(await ada.getByRole('list', { name: 'Backstage' }).getByText('Ben').count(), 0);
  await ben.locator('.stage-status').getByText('Live.').waitFor();
  await ben.getByText('Your microphone is on. Everybody hears you.').waitFor();
  await ben.getByRole('button', { name: 'Unlock the stage' }).waitFor();
  const { same } = await heardAs(() => newest(listener, 10), envelope(await decode(await voice('ben'))));
  assert.ok(same > SAME, `Ben is heard: ${same}`);
  assert.deepEqual(faults, []);
});

test('with nobody left on stage listeners hear the hold sound, and the event ends by itself', async () => {
  const faults = faultsOf(last);
  // A minute with nobody, after the ten seconds or so in which a connection counts as lost.
  await last.locator('town-replay .seek').waitFor({ timeout: 2 * PATIENCE_MILLIS });
  const sound = await decode(await streamOf(last));
  const seconds = Array.from({ length: Math.floor(sound.length / 16_000) }, (_, i) => decibels(sound.subarray(i * 16_000, (i + 1) * 16_000)));
  // Silence for some seconds: whoever is gone may be back. Then it is never silent again.
  const from = seconds.findLastIndex((level) => level < -60) + 1;
  assert.ok(from > 3 && seconds.length - from > 30, `a voice, silence, and the hold sound to the end: ${seconds.map(Math.round).join(' ')}`);
  assert.deepEqual(faults, []);
});
