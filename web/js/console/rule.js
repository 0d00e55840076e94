/** What who rules does to the event as a whole: begin, lock, mute all, cut, order of succession, end. */
import { h, put, typed } from '../words.js';
import { ask, button, hide, keep } from './controls.js';

/** @typedef {import('./controls.js').StageState} StageState */
/** @typedef {{ item: HTMLElement, name: HTMLElement, up: HTMLButtonElement, down: HTMLButtonElement }} Row */

const CUTS_SECONDS = [5, 10, 20];

export class Rule {
  #desk;
  #live = button('Go live', 'button', () => void this.#goLive(false));
  #lock = button('', 'button quiet', () => void this.#desk.act({ do: 'lock', locked: !this.#locked }));
  #muteAll = button('Mute all speakers', 'button quiet', () => void this.#desk.act({ do: 'mute-all' }));
  #end = button('End event', 'button danger', () => void this.#ending());
  #cuts = h('div', { className: 'cluster', role: 'group', ariaLabel: 'Cut what was said last' }, h('span', {}, 'Cut the last'), ...CUTS_SECONDS.map((seconds) => this.#cut(seconds)));
  #cutSaid = h('p', { className: 'meta', role: 'status' });
  #order = h('ol', { className: 'succession', ariaLabel: 'Order of succession' });
  #succession = h('details', { hidden: true }, h('summary', {}, 'Who takes over when the host is gone'), h('p', { className: 'meta' }, 'When no host is there for 15 seconds, the first of these who is on stage is in charge. A host who comes back has it again at once.'), this.#order);
  #title = h('h2', { tabIndex: -1 }, 'The event');
  element = h('section', { className: 'card stack', hidden: true }, this.#title, h('div', { className: 'cluster' }, this.#live, this.#muteAll, this.#lock, this.#end), this.#cuts, this.#cutSaid, this.#succession);
  #locked = false;
  /** @type {Map<number | string, Row>} */ #rows = new Map();
  /** The order as it stands. @type {number[]} */ #ids = [];

  /** @param {import('./controls.js').Desk} desk @param {() => void} checkMicrophone */
  constructor(desk, checkMicrophone) {
    this.#desk = desk;
    this.checkMicrophone = checkMicrophone;
  }

  /** @param {StageState} state @param {{ rules: boolean }} may */
  show(state, { rules }) {
    const knows = state.locked !== undefined;
    const live = state.phase === 'live';
    const speakers = state.stage.some((one) => one.role === 'speaker');
    this.element.hidden = !rules;
    this.#locked = state.locked === true;
    hide(this.#live, live, this.#title);
    this.#end.hidden = !live;
    this.#muteAll.hidden = !knows || !speakers;
    this.#lock.hidden = !knows;
    put(this.#lock, this.#locked ? 'Unlock the stage' : 'Lock the stage');
    this.#lock.ariaPressed = String(this.#locked);
    this.#cuts.hidden = !knows || !live;
    const heirs = inOrder(state);
    this.#ids = heirs.map((one) => one.id);
    this.#succession.hidden = !knows || !heirs.length;
    keep(this.#order, this.#rows, heirs, (one) => one.id, (one) => this.#row(one), (row, one, place) => {
      put(row.name, [typed(one.name), one.here ? '' : ' (away)']);
      row.up.ariaLabel = `${one.name} earlier`;
      row.down.ariaLabel = `${one.name} later`;
      row.up.disabled = place === 0;
      row.down.disabled = place === heirs.length - 1;
    });
  }

  clear() {
    this.#rows.clear();
    this.#order.replaceChildren();
    put(this.#cutSaid, '');
  }

  /** @param {boolean} yes that nothing was heard is known */
  async #goLive(yes) {
    const done = await this.#desk.act(yes ? { do: 'go-live', yes } : { do: 'go-live' });
    if (done.code !== 'microphone-silent' || yes) return;
    const sure = await ask({
      title: 'Go live in silence?',
      words: 'Nothing was heard from your microphone. Go live all the same?',
      yes: 'Go live all the same',
      no: 'Check the microphone',
      danger: false,
    });
    if (sure) await this.#goLive(true);
    else this.checkMicrophone();
  }

  async #ending() {
    const sure = await ask({
      title: 'End the event?',
      words: 'Listeners hear no more, and the replay appears on the event’s page. Whoever is on stage or behind it can talk on among themselves. An ended event can’t go live again.',
      yes: 'End for everybody',
      no: 'Not yet',
    });
    if (sure) await this.#desk.act({ do: 'end' });
  }

  /** @param {number} seconds */
  #cut(seconds) {
    const it = button(`${seconds} s`, 'button quiet small', () => void this.#cutLast(seconds));
    it.ariaLabel = `${seconds} s: cut the last ${seconds} seconds`;
    return it;
  }

  /** @param {number} seconds */
  async #cutLast(seconds) {
    put(this.#cutSaid, '');
    const done = await this.#desk.act({ do: 'cut', seconds });
    if (done.fault) return;
    const { cut_ms = 0, heard_ms = 0 } = done.answer;
    const cut = `${Math.round(cut_ms / 1000)} s are cut: who listens later hears silence there.`;
    put(this.#cutSaid, heard_ms > 0 ? `${cut} ${Math.ceil(heard_ms / 1000)} s of it had been sent to listeners already, and may have been heard.` : `${cut} No listener has heard it.`);
  }

  /** @param {import('./controls.js').Person} one @returns {Row} */
  #row(one) {
    const name = h('span', {});
    const up = button('↑', 'button quiet small', () => void this.#move(one.id, -1, up));
    const down = button('↓', 'button quiet small', () => void this.#move(one.id, 1, down));
    return { item: h('li', {}, name, h('span', { className: 'tools' }, up, down)), name, up, down };
  }

  /** @param {number} id @param {number} by @param {HTMLButtonElement} pressed */
  async #move(id, by, pressed) {
    const from = this.#ids.indexOf(id);
    const order = this.#ids.filter((one) => one !== id);
    order.splice(from + by, 0, id);
    await this.#desk.act({ do: 'succession', order });
    pressed.focus();
  }
}

/** Everybody who could take over: as the host said, then co-hosts, then who came first. @param {StageState} state */
function inOrder(state) {
  const heirs = state.stage.filter((one) => one.role !== 'host');
  const place = /** @param {import('./controls.js').Person} one */ (one) => {
    const said = (state.succession ?? []).indexOf(one.id);
    return said >= 0 ? said : 1000 + (one.role === 'co-host' ? 0 : 1);
  };
  return heirs.map((one, at) => ({ one, at })).sort((a, b) => place(a.one) - place(b.one) || a.at - b.at).map(({ one }) => one);
}
