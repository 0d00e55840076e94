/** The debate clock as everybody on stage sees it, and its set-up for who rules. */
import { h, put, typed } from '../words.js';
import { button, keep, minutes } from './controls.js';

/** @typedef {import('./controls.js').StageState} StageState */
/** @typedef {import('../stage-link.js').Clock} Clock */
/** @typedef {{ item: HTMLElement, name: HTMLElement, left: HTMLElement, runs: boolean, ms: number }} Budget */
/** @typedef {{ item: HTMLElement, name: HTMLElement, side: HTMLSelectElement }} Side */

const TICK_MILLIS = 250;

export class DebateClock {
  #desk;
  #budgets = h('ul', { className: 'budgets', ariaLabel: 'Debate clock' });
  #turns = h('div', { className: 'tools', role: 'group', ariaLabel: 'Whose turn it is' });
  #setUp = h('details', {});
  element = h('section', { className: 'card stack', hidden: true }, h('h2', {}, 'Debate clock'), this.#budgets, this.#turns, this.#setUp);
  /** @type {Map<number | string, Budget>} */ #rows = new Map();
  /** @type {Map<number | string, { item: HTMLButtonElement }>} */ #buttons = new Map();
  /** @type {Map<number | string, Side>} */ #sides = new Map();
  #mode = h('select', { id: 'clock-mode' }, ...[['off', 'Off'], ['speaker', 'A budget for each speaker'], ['side', 'A budget for each side'], ['turn', 'A time for each turn']].map(([value, text]) => h('option', { value }, text)));
  #minutes = h('input', { id: 'clock-minutes', type: 'number', min: '0.5', max: '180', step: '0.5', value: '2', required: true });
  #names = ['For', 'Against'].map((name, i) => h('input', { id: `clock-side-${i}`, value: name, maxLength: 40, required: true }));
  #who = h('ul', { className: 'sides', ariaLabel: 'Who is on which side' });
  #lengths = h('div', { className: 'field' }, h('label', { htmlFor: 'clock-minutes' }, 'Minutes'), this.#minutes);
  #sidesPart = h('div', { className: 'stack', hidden: true }, ...this.#names.map((input, i) => h('div', { className: 'field' }, h('label', { htmlFor: input.id }, i ? 'The other side' : 'One side'), input)), this.#who);
  /** The clock as it was said, and when. @type {{ clock: Clock, at: number } | null} */ #said = null;
  #running = /** @type {number | null} */ (null);
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;

  /** @param {import('./controls.js').Desk} desk */
  constructor(desk) {
    this.#desk = desk;
    const form = h(
      'form',
      { className: 'stack' },
      h('div', { className: 'field' }, h('label', { htmlFor: 'clock-mode' }, 'Who has how long'), this.#mode),
      this.#lengths,
      this.#sidesPart,
      h('p', { className: 'meta' }, 'A chime is heard ten seconds before the end; at zero the microphone fades. Setting the clock begins it anew.'),
      h('div', {}, h('button', { type: 'submit', className: 'button quiet' }, 'Set the clock')),
    );
    this.#setUp.append(h('summary', {}, 'Set up the clock'), form);
    this.#mode.addEventListener('change', () => this.#fields());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#set();
    });
    this.#fields();
  }

  /** @param {StageState} state @param {{ rules: boolean }} may */
  show(state, { rules }) {
    const known = state.clock !== undefined;
    const clock = state.clock ?? null;
    this.element.hidden = !known || (!clock && !rules);
    this.#said = clock && { clock, at: performance.now() };
    this.#running = clock?.running ?? null;
    keep(this.#budgets, this.#rows, clock?.budgets ?? [], (one) => `${one.name} ${one.who.join()}`, () => budget(), (row, one) => {
      row.runs = this.#running !== null && one.who.includes(this.#running);
      row.ms = one.left_ms;
      put(row.name, [typed(one.name || nameOf(state, one.who[0]))]);
    });
    this.#budgets.hidden = !clock;
    const people = state.stage.filter((one) => !one.backstage);
    this.#turns.hidden = !clock || !rules;
    // Of the sides' clocks nobody's runs for who is on none.
    const timed = clock?.mode === 'side' ? people.filter(({ id }) => clock.budgets.some(({ who }) => who.includes(id))) : people;
    keep(this.#turns, this.#buttons, clock ? timed : [], (one) => one.id, (one) => ({ item: button('', 'button quiet small', () => void this.#turn(one.id)) }), ({ item }, one) => {
      const runs = one.id === this.#running;
      // In one piece: a button's parts stand apart, and the space between them goes.
      put(item, [h('span', {}, runs ? 'Stop ' : 'Start ', typed(one.name))]);
      item.classList.toggle('pressed', runs);
    });
    this.#setUp.hidden = !rules;
    keep(this.#who, this.#sides, people, (one) => one.id, (one) => this.#side(one.id), ({ name }, one) => put(name, [typed(one.name)]));
    this.#tick();
    clearInterval(this.#timer);
    if (this.#running !== null) this.#timer = setInterval(() => this.#tick(), TICK_MILLIS);
  }

  clear() {
    clearInterval(this.#timer);
    for (const rows of [this.#rows, this.#buttons, this.#sides]) rows.clear();
    for (const list of [this.#budgets, this.#turns, this.#who]) list.replaceChildren();
    this.#said = null;
  }

  /** Between two words of the stage the time of the one who talks goes on. */
  #tick() {
    if (!this.#said) return;
    const gone = performance.now() - this.#said.at;
    for (const row of this.#rows.values()) {
      // It stands still while its speaker's connection is lost.
      const left = row.runs && this.#said.clock.counts !== false ? row.ms - gone : row.ms;
      put(row.left, minutes(left));
      row.item.classList.toggle('runs', row.runs);
      row.item.classList.toggle('ends', left <= this.#said.clock.chime_ms);
    }
  }

  /** @param {number} id */
  async #turn(id) {
    await this.#desk.act({ do: 'turn', participant: this.#running === id ? null : id });
  }

  #fields() {
    this.#lengths.hidden = this.#mode.value === 'off';
    this.#sidesPart.hidden = this.#mode.value !== 'side';
    for (const input of [this.#minutes, ...this.#names]) input.disabled = !!input.closest('[hidden]');
  }

  /** @param {number} id @returns {Side} */
  #side(id) {
    const side = h('select', { id: `clock-side-of-${id}` }, h('option', { value: '' }, 'neither'), h('option', { value: '0' }, 'one side'), h('option', { value: '1' }, 'the other side'));
    const name = h('label', { htmlFor: side.id });
    return { item: h('li', { className: 'cluster' }, name, side), name, side };
  }

  async #set() {
    const mode = this.#mode.value;
    const seconds = Math.round(Number(this.#minutes.value) * 60);
    const of = /** @param {number} place */ (place) => [...this.#sides].filter(([, { side }]) => side.value === String(place)).map(([id]) => Number(id));
    const sides = this.#names.map((input, place) => ({ name: input.value.trim(), who: of(place) }));
    if (mode === 'side' && sides.some((side) => !side.who.length)) return this.#desk.say('Put somebody on each side first.');
    const done = await this.#desk.act(mode === 'off' ? { do: 'clock', mode } : mode === 'side' ? { do: 'clock', mode, seconds, sides } : { do: 'clock', mode, seconds });
    if (!done.fault) {
      this.#setUp.open = false;
      this.#setUp.querySelector('summary')?.focus();
    }
  }
}

/** @returns {Budget} */
function budget() {
  const [name, left] = [h('span', {}), h('span', { className: 'left', role: 'timer' })];
  return { item: h('li', {}, name, left), name, left, runs: false, ms: 0 };
}

/** @param {StageState} state @param {number} id */
const nameOf = (state, id) => state.stage.find((one) => one.id === id)?.name ?? 'Somebody';
