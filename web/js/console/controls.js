/**
 * What the console's parts are made of: buttons, questions before what can't be taken back, times.
 *
 * @typedef {import('../stage-link.js').StageState} StageState
 * @typedef {import('../stage-link.js').Person} Person
 *
 * What a part may do besides showing the state: act, which says by itself what went wrong, and say something once.
 * @typedef {{ act: (action: object) => Promise<import('../stage-link.js').Done>, say: (text: string) => void }} Desk
 */
import { h } from '../words.js';

/**
 * @param {string} text
 * @param {string} className
 * @param {() => void} press
 */
export function button(text, className, press) {
  const it = h('button', { type: 'button', className }, text);
  it.addEventListener('click', press);
  return it;
}

let questions = 0;

/**
 * Asks before something is done. The answer that changes nothing has the focus: a second press of Enter must do nothing.
 * @param {{ title: string | (Node | string)[], words: string | (Node | string)[], yes: string, no: string, danger?: boolean }} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, words, yes, no, danger = true }) {
  const id = `question-${(questions += 1)}`;
  const dialog = h('dialog', {});
  dialog.setAttribute('aria-labelledby', id);
  const does = button(yes, danger ? 'button danger' : 'button', () => dialog.close('yes'));
  const not = button(no, 'button quiet', () => dialog.close());
  not.autofocus = true;
  dialog.append(h('h2', { id }, ...[title].flat()), h('p', {}, ...[words].flat()), h('div', { className: 'cluster' }, does, not));
  (document.querySelector('town-console') ?? document.body).append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

/**
 * "4:07".
 * @param {number} millis
 */
export function minutes(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * Changes a list's items in place, so that the focus stays where it is: an item for each entry, in the entries' order.
 * @template T
 * @template {{ item: HTMLElement }} R
 * @param {Element} list
 * @param {Map<string | number, R>} rows
 * @param {T[]} entries
 * @param {(entry: T) => string | number} key
 * @param {(entry: T) => R} make
 * @param {(row: R, entry: T, place: number) => void} show
 */
export function keep(list, rows, entries, key, make, show) {
  const wanted = new Set(entries.map(key));
  for (const [id, { item }] of rows) if (!wanted.has(id) && rows.delete(id)) drop(item);
  entries.forEach((entry, place) => {
    const id = key(entry);
    const row = rows.get(id) ?? make(entry);
    rows.set(id, row);
    show(row, entry, place);
    // An item that is moved loses the focus: what stands right stays.
    if (list.children[place] !== row.item) {
      const focused = row.item.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
      list.insertBefore(row.item, list.children[place] ?? null);
      focused?.focus({ preventScroll: true });
    }
  });
}

/**
 * Takes an item out of its list. The focus that was in it goes to a neighbour as a whole: a second press of Enter must do nothing there.
 * @param {HTMLElement} item
 */
export function drop(item) {
  const held = item.contains(document.activeElement);
  const neighbour = /** @type {HTMLElement | null} */ (item.nextElementSibling ?? item.previousElementSibling);
  item.remove();
  if (!held || !neighbour) return;
  neighbour.tabIndex = -1;
  neighbour.focus();
}

/**
 * Hides what can't be pressed now. Had it the focus, something else has it that does nothing by itself.
 * @param {HTMLElement} it
 * @param {boolean} hidden
 * @param {HTMLElement} instead
 */
export function hide(it, hidden, instead) {
  const held = hidden && !it.hidden && it === document.activeElement;
  it.hidden = hidden;
  if (held) instead.focus();
}

/** @param {string | undefined} role */
export const roleName = (role) => (role === 'host' || role === 'co-host' ? role : '');
