/** The tables of web/README.md name every file that there is, and none besides. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';

const WEB = new URL('../', import.meta.url);
const readme = await readFile(new URL('README.md', WEB), 'utf8');
/** What the first column of each table says. */
const named = [...readme.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));

for (const [folder, of, name] of /** @type {const} */ ([
  ['js', /\.js$/, (/** @type {string} */ file) => `js/${file}`],
  ['css', /\.css$/, (/** @type {string} */ file) => `css/${file}`],
  ['test', /\.test\.js$/, (/** @type {string} */ file) => file.replace('.test.js', '')],
])) {
  test(`${folder}/`, async () => {
    const files = (await readdir(new URL(folder, WEB), { recursive: true })).filter((file) => of.test(file)).map(name);
    const rows = named.filter((row) => (folder === 'test' ? !row.includes('/') : row.startsWith(`${folder}/`)));
    assert.deepEqual(rows.toSorted(), files.toSorted());
  });
}
