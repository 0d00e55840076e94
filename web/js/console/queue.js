/** The raised hands, in the order in which the stage would take them. */
import { h, number, put, typed } from '../words.js';
import { button, keep } from './controls.js';

/** @typedef {import('../stage-link.js').Hand} Hand */
/** @typedef {{ item: HTMLElement, name: HTMLElement, topic: HTMLElement, note: HTMLElement, admit: HTMLElement, decline: HTMLElement }} Row */

export class Queue {
  #desk;
  #title = h('h2', {}, 'Raised hands');
  #none = h('p', { className: 'meta' });
  #list = h('ol', { className: 'hands', ariaLabel: 'Raised hands' });
  element = h('section', { className: 'card stack', hidden: true }, this.#title, this.#none, this.#list);
  /** @type {Map<number | string, Row>} */ #rows = new Map();
  /** @type {Set<string> | null} */ #seen = null;

  /** @param {import('./controls.js').Desk} desk */
  constructor(desk) {
    this.#desk = desk;
  }

  /** @param {import('./controls.js').StageState} state @param {{ rules: boolean }} may */
  show(state, { rules }) {
    const hands = state.hands ?? [];
    this.element.hidden = !rules || !state.hands;
    if (this.element.hidden) return;
    put(this.#title, hands.length ? `Raised hands (${number(hands.length)})` : 'Raised hands');
    this.#none.hidden = hands.length > 0;
    put(this.#none, state.hands_open === false ? 'Only who was invited speaks at this event: nobody can raise a hand.' : 'Nobody wants to speak just now.');
    keep(this.#list, this.#rows, hands, (one) => one.id, (one) => this.#row(one), (row, one) => this.#put(row, one));
    const fresh = this.#seen ? hands.filter((one) => !this.#seen?.has(one.id)) : [];
    if (fresh.length) this.#desk.say(fresh.length === 1 ? `${fresh[0].name} raised a hand.` : `${number(fresh.length)} people raised a hand.`);
    this.#seen = new Set(hands.map((one) => one.id));
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#seen = null;
  }

  /** @param {Row} row @param {Hand} one */
  #put(row, one) {
    put(row.name, [typed(one.name)]);
    // Who raises a hand again may say another name.
    row.admit.ariaLabel = `Admit ${one.name}`;
    row.decline.ariaLabel = `Decline ${one.name}`;
    put(row.topic, [typed(one.topic)]);
    row.topic.hidden = !one.topic;
    put(row.note, [one.spoke ? 'has spoken' : 'hasn’t spoken yet', one.votes === 1 ? '1 vote' : `${number(one.votes)} votes`].join(', '));
  }

  /** @param {Hand} one @returns {Row} */
  #row(one) {
    const [name, topic, note] = [h('strong', {}), h('p', {}), h('span', { className: 'meta' })];
    const admit = button('Admit', 'button small', () => void this.#desk.act({ do: 'admit', hand: one.id }));
    const decline = button('Decline', 'button quiet small', () => void this.#desk.act({ do: 'decline', hand: one.id }));
    const item = h('li', {}, h('div', {}, name, ' ', note, topic), h('span', { className: 'tools' }, admit, decline));
    return { item, name, topic, note, admit, decline };
  }
}
