/** How a page looks: in light and dark, narrow and wide, in both directions; without violations of accessibility, and seen. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { results } from './server.js';

/** @typedef {import('playwright-core').Page} Page */

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * Looks at a page that is in its state in every way, and keeps what was seen.
 * @param {Page} page
 * @param {string} name
 */
export async function looksWell(page, name) {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 844 });
    for (const scheme of /** @type {const} */ (['light', 'dark'])) {
      // Colours that are on their way from one scheme to the other are neither's.
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const direction of ['rtl', 'ltr']) {
        await page.evaluate((dir) => (document.documentElement.dir = dir), direction);
        await accessible(page, `${name} ${width} ${scheme} ${direction}`);
        await notTooWide(page, `${name} ${width} ${direction}`);
        await page.screenshot({ path: join(results, `${name}-${width}-${scheme}${direction === 'rtl' ? '-rtl' : ''}.png`), fullPage: true });
      }
    }
  }
  await fitsLarge(page, name);
}

/**
 * Text of twice its size on a small phone needs no scrolling sideways (WCAG 1.4.4 and 1.4.10).
 * @param {Page} page
 * @param {string} name
 */
export async function fitsLarge(page, name) {
  await page.setViewportSize({ width: 320, height: 844 });
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  await page.screenshot({ path: join(results, `${name}-320-large.png`), fullPage: true });
  await notTooWide(page, `${name} 320 with large text`);
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));
}

/**
 * @param {Page} page
 * @param {string} where
 */
export async function notTooWide(page, where) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${where} is ${wide} px too wide`);
}

/**
 * @param {Page} page
 * @param {string} where
 */
export async function accessible(page, where) {
  // Through the debugger: the page's own policy lets no foreign script in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run(document, { resultTypes: ['violations'] }));
  const said = violations.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.html).join(' ')}`);
  assert.deepEqual(said, [], where);
}
