/** Who is on stage and who is backstage, how loud they are, and for who rules what can be done about each of them. */
import { h, initial, put, typed } from '../words.js';
import { ask, button, drop, hide, keep, roleName } from './controls.js';

/** @typedef {import('./controls.js').Person} Person */
/** @typedef {import('./controls.js').StageState} StageState */
/** @typedef {{ item: HTMLElement, face: HTMLElement, name: HTMLElement, note: HTMLElement, tools: HTMLElement, mute: HTMLButtonElement,
 *   step: HTMLButtonElement, promote: HTMLButtonElement, hand: HTMLButtonElement, remove: HTMLButtonElement, ban: HTMLButtonElement, summary: HTMLElement,
 *   called: string, role: string, backstage: boolean, muted: boolean }} Row */

export class People {
  #desk;
  #on = h('ul', { className: 'people', ariaLabel: 'On stage' });
  #off = h('ul', { className: 'people', ariaLabel: 'Backstage' });
  #offPart = h('div', { className: 'stack', hidden: true }, h('h2', {}, 'Backstage'), this.#off);
  #nobody = h('p', { className: 'meta' }, 'Nobody is on stage. Listeners hear the hold sound.');
  #onPart = h('div', { className: 'stack' }, h('h2', {}, 'On stage'), this.#nobody, this.#on);
  element = h('section', { className: 'card stack' }, this.#onPart, this.#offPart);
  /** @type {Map<number | string, Row>} */ #rows = new Map();

  /** @param {import('./controls.js').Desk} desk */
  constructor(desk) {
    this.#desk = desk;
  }

  /** @param {StageState} state @param {{ rules: boolean }} may */
  show(state, may) {
    // After the end there is no stage any more, only those who talk on.
    const over = state.phase === 'ended';
    const on = state.stage.filter((one) => !one.backstage && !over);
    const off = state.stage.filter((one) => (over ? one.here : one.backstage));
    this.#nobody.hidden = on.length > 0 || state.phase !== 'live';
    this.#onPart.hidden = over;
    this.#offPart.hidden = !off.length;
    const all = new Set(state.stage.map((one) => one.id));
    for (const [id, { item }] of this.#rows) if (!all.has(Number(id)) && this.#rows.delete(id)) drop(item);
    for (const [list, people] of /** @type {[Element, Person[]][]} */ ([[this.#on, on], [this.#off, off]])) {
      const rows = new Map(people.flatMap((one) => (this.#rows.has(one.id) ? [[one.id, /** @type {Row} */ (this.#rows.get(one.id))]] : [])));
      keep(list, rows, people, (one) => one.id, (one) => this.#row(one), (row, one) => this.#put(row, one, state, may));
      for (const [id, row] of rows) this.#rows.set(id, row);
    }
  }

  clear() {
    this.#rows.clear();
    this.#on.replaceChildren();
    this.#off.replaceChildren();
  }

  /** @param {Map<number, number>} levels decibels below full scale */
  levels(levels) {
    for (const [id, { item, muted }] of this.#rows) {
      // The stage hears who talks into a muted microphone; nobody else does.
      const level = muted ? 0 : Math.min(1, Math.max(0, (60 - (levels.get(Number(id)) ?? 127)) / 50));
      item.style.setProperty('--level', level.toFixed(2));
      item.classList.toggle('speaks', level > 0.1);
    }
  }

  /**
   * @param {Row} row
   * @param {Person} one
   * @param {StageState} state
   * @param {{ rules: boolean }} may
   */
  #put(row, one, state, may) {
    const self = one.id === state.you?.id;
    // To a host only a host does anything.
    const others = may.rules && !self && (one.role !== 'host' || state.you?.host !== false);
    row.role = one.role;
    label(row, one.name);
    put(row.face, initial(one.name));
    put(row.name, [typed(one.name), self ? ' (you)' : '']);
    const line = one.connection && one.connection.verdict !== 'good' ? `${one.connection.verdict} connection` : '';
    const charge = state.in_charge === one.id && one.role !== 'host' ? 'in charge' : '';
    const ready = one.ready && ['backstage', 'doors'].includes(state.phase) ? 'ready' : '';
    put(row.note, [roleName(one.role), charge, one.muted ? 'muted' : '', ready, one.here ? '' : 'away', line].filter(Boolean).join(', '));
    row.item.classList.toggle('away', !one.here);
    row.tools.hidden = !others;
    hide(row.mute, one.muted, row.summary);
    row.step.hidden = one.backstage === undefined || state.phase !== 'live';
    row.backstage = one.backstage === true;
    row.muted = one.muted;
    // Nobody is put on the air by somebody else: who is called comes muted, and opens the microphone themselves.
    put(row.step, row.backstage ? 'Call on stage' : 'Send backstage');
    row.step.ariaLabel = `${row.step.textContent}: ${one.name}`;
    // A stage that knows of no lock knows of none of these either.
    const knows = state.locked !== undefined;
    const over = state.phase === 'ended';
    row.promote.hidden = over || !knows || one.role === 'host';
    put(row.promote, one.role === 'co-host' ? 'Make speaker' : 'Make co-host');
    row.promote.ariaLabel = `${row.promote.textContent}: ${one.name}`;
    row.hand.hidden = over || !knows || one.role === 'host' || state.in_charge === one.id;
    row.ban.hidden = over || !knows || one.role === 'host';
  }

  /** @param {Person} one @returns {Row} */
  #row(one) {
    const { id } = one;
    const act = /** @param {object} action */ (action) => void this.#desk.act(action);
    const [face, nameOf, note] = [h('span', { className: 'face', ariaHidden: 'true' }), h('span', {}), h('span', { className: 'meta' })];
    const mute = button('Mute', 'button quiet small', () => act({ do: 'mute', participant: id, muted: true }));
    const step = button('', 'button quiet small', () => act({ do: 'step', participant: id, backstage: !row.backstage }));
    const promote = button('', 'button quiet small', () => act({ do: 'promote', participant: id, role: row.role === 'co-host' ? 'speaker' : 'co-host' }));
    const hand = button('Hand over', 'button quiet small', () => void this.#handOver(id, row.called));
    const remove = button('Remove', 'button quiet small', () => act({ do: 'remove', participant: id }));
    const ban = button('Ban', 'button danger small', () => void this.#ban(id, row.called));
    const summary = h('summary', {}, 'More');
    const more = h('details', { className: 'more' }, summary, h('div', { className: 'tools' }, promote, hand, remove, ban));
    more.addEventListener('click', (event) => event.target instanceof HTMLButtonElement && (more.open = false));
    const tools = h('span', { className: 'tools' }, mute, step, more);
    const item = h('li', {}, face, h('span', { className: 'who' }, nameOf, ' ', note), tools);
    /** @type {Row} */
    const row = { item, face, name: nameOf, note, tools, mute, step, promote, hand, remove, ban, summary, called: '', role: one.role, backstage: false, muted: false };
    return row;
  }

  /** @param {number} id @param {string} name */
  async #ban(id, name) {
    const sure = await ask({
      title: ['Ban ', typed(name), '?'],
      words:
        'They leave at once. Neither their link nor their account brings them back: not on stage, not with a raised hand or a reaction, not to a private event. ' +
        'Who comes with the same personal link is refused too; others who have the link for all speakers are not. What is public can’t be withheld: they can still listen to a public event.',
      yes: 'Ban them',
      no: 'Don’t ban',
    });
    if (sure) await this.#desk.act({ do: 'ban', participant: id });
  }

  /** @param {number} id @param {string} name */
  async #handOver(id, name) {
    const sure = await ask({
      title: ['Hand the event over to ', typed(name), '?'],
      words: [typed(name), ' becomes co-host and is in charge, and takes over when no host is there. You keep what you may do, and can leave.'],
      yes: 'Hand over',
      no: 'Keep it',
      danger: false,
    });
    if (sure) await this.#desk.act({ do: 'hand-over', participant: id });
  }
}

/**
 * What a screen reader says of somebody's buttons: who comes back may have another name.
 * @param {Row} row
 * @param {string} name
 */
function label(row, name) {
  row.called = name;
  row.mute.ariaLabel = `Mute ${name}`;
  row.hand.ariaLabel = `Hand over: ${name}`;
  row.remove.ariaLabel = `Remove ${name} from the stage`;
  row.ban.ariaLabel = `Ban ${name}`;
  row.summary.ariaLabel = `More for ${name}`;
}
