/** Who has spoken how long, who left among them: on stage, and for listeners while there is a debate clock. */
import { keep, minutes } from './console/controls.js';
import { h, put, typed } from './words.js';

export class Fairness {
  #list = h('ul', { className: 'fairness', ariaLabel: 'Who has spoken how long' });
  element = h('section', { className: 'card stack', hidden: true }, h('h2', {}, 'Who has spoken'), this.#list);
  /** @type {Map<number | string, { item: HTMLElement, name: HTMLElement, time: HTMLElement }>} */ #rows = new Map();

  /** @param {{ key: number | string, name: string, ms: number }[]} spoken the longest first: the others are shares of it */
  show(spoken) {
    this.element.hidden = !spoken.length;
    const make = () => {
      const [name, time] = [h('span', {}), h('span', { className: 'meta' })];
      return { item: h('li', {}, name, h('span', { className: 'share', ariaHidden: 'true' }), time), name, time };
    };
    keep(this.#list, this.#rows, spoken, ({ key }) => key, make, (row, { name, ms }) => {
      put(row.name, [typed(name)]);
      put(row.time, minutes(ms));
      row.item.style.setProperty('--share', (ms / Math.max(1, spoken[0].ms)).toFixed(3));
    });
  }

  clear() {
    this.#rows.clear();
    this.#list.replaceChildren();
  }
}
