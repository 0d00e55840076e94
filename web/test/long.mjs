/**
 * By hand: one speaker and one listener in Chromium for as long as asked, `npm run long -- --minutes 30`. Notes what the listener's page
 * says of itself every ten seconds and ends with a table and one line of JSON.
 */
import { parseArgs } from 'node:util';
import { faultsOf, goOnStage, heard, launch, statsOf } from './browser.js';
import { startServer } from './server.js';
import { voice } from './voice.js';

const NOTE_MILLIS = 10_000;
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(values.minutes);

const server = await startServer();
const browsers = await Promise.all([launch(await voice('ada')), launch()]);
try {
  const event = await server.event('A long evening');
  const [ada, listener] = await Promise.all(browsers.map(async (browser) => (await browser.newContext()).newPage()));
  const faults = faultsOf(listener);
  await goOnStage(ada, event.stage, 'Ada');
  await ada.getByRole('button', { name: 'Go live' }).click();
  await ada.getByText('Live.').waitFor();
  await listener.goto(event.page);
  await listener.getByRole('button', { name: 'Listen' }).click();
  await heard(listener);
  const debug = await listener.context().newCDPSession(listener);
  const heap = async () => {
    // Only what is still reachable counts.
    await debug.send('HeapProfiler.collectGarbage');
    return (await debug.send('Runtime.getHeapUsage')).usedSize / 1e6;
  };
  const note = async () => ({ ...(await statsOf(listener)), heap: await heap(), seconds: (Date.now() - began) / 1000 });
  const began = Date.now();
  const first = await note();
  const notes = [first];
  while (Date.now() - began < minutes * 60_000) {
    await listener.waitForTimeout(NOTE_MILLIS);
    notes.push(await note());
    process.stderr.write(`${JSON.stringify(notes.at(-1))}\n`);
  }
  const last = /** @type {typeof first} */ (notes.at(-1));
  const of = /** @param {string} key */ (key) => notes.map((one) => Number(one[key])).toSorted((a, b) => a - b);
  const middle = /** @param {string} key */ (key) => of(key)[notes.length >> 1];
  const most = /** @param {string} key */ (key) => Number(of(key).at(-1));
  const summary = {
    minutes: (last.seconds - first.seconds) / 60,
    fragments: last.fragments - first.fragments,
    played_seconds: last.at - first.at,
    gaps: last.gaps,
    stalls: last.stalls,
    jumps: last.jumps,
    reconnects: last.reconnects,
    behind_seconds: { p50: middle('behind'), max: most('behind') },
    buffered_seconds: { p50: middle('bufferedSeconds'), max: most('bufferedSeconds') },
    heap_megabytes: { first: first.heap, last: last.heap, max: most('heap') },
    faults,
  };
  const rows = [
    ['minutes', summary.minutes.toFixed(1)],
    ['fragments', summary.fragments],
    ['sound played', `${summary.played_seconds.toFixed(1)} s`],
    ['gaps, stalls, jumps, reconnections', [summary.gaps, summary.stalls, summary.jumps, summary.reconnects].join(', ')],
    ['behind the newest fragment, p50 / most', `${summary.behind_seconds.p50.toFixed(2)} / ${summary.behind_seconds.max.toFixed(2)} s`],
    ['kept in the browser’s buffer, p50 / most', `${summary.buffered_seconds.p50.toFixed(1)} / ${summary.buffered_seconds.max.toFixed(1)} s`],
    ['script memory, first / last / most', `${summary.heap_megabytes.first.toFixed(1)} / ${summary.heap_megabytes.last.toFixed(1)} / ${summary.heap_megabytes.max.toFixed(1)} MB`],
    ['errors in the page', faults.length],
  ];
  const lines = ['| one listener in Chromium | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`), JSON.stringify(summary)];
  process.stdout.write(`${lines.join('\n')}\n`);
} finally {
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await server.stop();
}
