/**
 * What a listener has besides the button: who is on stage, going back and catching up, the data saver, reactions, the debate clock and who has
 * spoken how long, keys.
 * It comes once there is something to hear, so that the sound waits for none of it.
 *
 * @typedef {import('./programme.js').Programme} Programme
 */
import { catchUp, live, rewind, save } from './back.js';
import { speaking } from './programme.js';
import { reactions } from './reactions.js';
import { sound } from './sound.js';
import { clock } from './time.js';
import { h, initial, number, put } from './words.js';

/** How often somebody is announced to screen readers at most, in milliseconds. */
const ANNOUNCE_MILLIS = 4000;
/** By then who listens was told who is on stage, if anybody is. */
const FIRST_MILLIS = 5000;
/** Bytes that an hour takes, with boxes and live facts. */
const HOUR_BYTES = { saver: 8.6e6, full: 33e6 };
const MEGA = 1e6;
/** Behind by more than this, somebody may want to catch up. */
const LATE_SECONDS = 3;

export class Listening {
  #programme;
  #people = new People();
  #clock = h('div', { className: 'debate', hidden: true });
  /** @type {import('./fairness.js').Fairness | null} */
  #fairness = null;
  #controls;
  #spoken = h('p', { className: 'visually-hidden', role: 'status' });
  #spokenAt = 0;
  #since = Date.now();
  #player;
  /** The clock as it was said, and when. @type {{ k: unknown, at: number }} */
  #said = { k: null, at: 0 };
  element;

  /**
   * @param {HTMLElement & { press(): void }} player
   * @param {Programme} programme
   * @param {AbortSignal} signal
   */
  constructor(player, programme, signal) {
    this.#player = player;
    this.#programme = programme;
    this.#controls = new Controls(programme);
    this.element = h('div', { className: 'stack' }, this.#people.list, this.#clock, reactions(programme, signal), this.#controls.element, this.#spoken);
    const show = () => this.#show();
    sound.addEventListener('change', show, { signal });
    sound.addEventListener('facts', show, { signal });
    const timer = setInterval(show, 1000);
    signal.addEventListener('abort', () => clearInterval(timer));
    this.key = /** @param {KeyboardEvent} event */ (event) => pressed(event, player, programme);
    document.addEventListener('keydown', this.key, { signal });
    mediaKeys(programme, signal);
    show();
  }

  /** What is to be said instead of who speaks, when there is something. */
  line() {
    const { back, fast } = this.#programme;
    if (this.#atDoors()) return doors();
    return back ? (fast ? 'Catching up…' : 'You hear what was said before.') : '';
  }

  /** Whether the doors are open: what the page says holds until the stream says something of it. */
  #atDoors() {
    return (this.#programme.facts.b ?? (this.#player.getAttribute('phase') === 'doors' ? 0 : 1)) === 0;
  }

  #show() {
    const programme = this.#programme;
    const playing = programme === sound.current && ['connecting', 'playing', 'waiting'].includes(programme.state);
    this.#people.show(playing ? programme : null);
    this.#controls.show(playing, this.#atDoors());
    void this.#fair((playing && programme.facts.k && programme.facts.t) || []);
    this.#tick();
    const plays = programme.state === 'playing';
    const own = plays && this.line();
    // Nobody is said to be silent before it is known.
    if (plays && !own && !programme.facts.s && Date.now() - this.#since < FIRST_MILLIS) return;
    const line = own || this.#player.querySelector('.player-line')?.textContent;
    if (programme.state === 'idle' || !line || line === this.#spoken.textContent || Date.now() - this.#spokenAt < ANNOUNCE_MILLIS) return;
    this.#spokenAt = Date.now();
    this.#spoken.textContent = line;
  }

  /** Who has spoken how long, while there is a debate clock. @param {[string, number][]} spoken */
  async #fair(spoken) {
    if (!spoken.length && !this.#fairness) return;
    const { Fairness } = await import('./fairness.js');
    if (!this.#fairness) this.#clock.after((this.#fairness = new Fairness()).element);
    this.#fairness.show(spoken.map(([name, seconds], key) => ({ key, name, ms: seconds * 1000 })));
  }

  #tick() {
    const { facts, state } = this.#programme;
    if (facts.k !== this.#said.k) this.#said = { k: facts.k, at: Date.now() };
    showClock(this.#clock, (state === 'playing' && facts.k) || null, (Date.now() - this.#said.at) / 1000);
    this.#controls.meter();
  }
}

/** The doors are open: what plays is not the event yet. */
function doors() {
  const time = document.querySelector('.lede time[data-refresh]');
  return `The doors are open. You hear the hold sound; ${time ? `the event begins ${time.textContent}, here and by itself` : 'the event begins here by itself'}.`;
}

/** Everybody on stage, with a ring that follows the voice. */
class People {
  list = h('ul', { className: 'people', ariaLabel: 'On stage' });
  /** @type {Map<number, HTMLLIElement>} */
  #items = new Map();

  /** @param {Programme | null} programme */
  show(programme) {
    const people = programme?.facts.s ?? [];
    const levels = new Map(programme ? speaking(programme.facts).map((one) => [one.id, one.level]) : []);
    this.list.hidden = !people.length;
    for (const [id, item] of this.#items) if (!people.some(([of]) => of === id) && this.#items.delete(id)) item.remove();
    for (const [id, name, muted] of people) {
      const item = this.#items.get(id) ?? h('li', {}, h('span', { className: 'face', ariaHidden: 'true' }), h('bdi', {}), h('span', { className: 'meta' }));
      this.#items.set(id, item);
      const level = levels.get(id) ?? 0;
      [initial(name), name, muted ? 'muted' : ''].forEach((text, i) => put(/** @type {Element} */ (item.children[i]), text));
      item.classList.toggle('speaks', level > 0);
      item.style.setProperty('--level', String(level));
      if (!item.isConnected) this.list.append(item);
    }
  }
}

/** Going back and forth, the saver, and the keys that do the same. */
class Controls {
  #programme;
  #back = [button('Back 15 s'), button('Back 60 s'), button('From the beginning')];
  #catchUp = button('Catch up', 'Catch up at one and a half times the speed');
  #live = button('Live', 'Back to live');
  #late = h('span', { className: 'meta' });
  #saver = h('input', { type: 'checkbox' });
  #meter = h('span', { className: 'meta' });
  element = h('div', { className: 'listening stack', hidden: true });

  /** @param {Programme} programme */
  constructor(programme) {
    this.#programme = programme;
    [15, 60, Infinity].forEach((seconds, i) => (this.#back[i].onclick = () => rewind(programme, seconds)));
    this.#catchUp.onclick = () => catchUp(programme);
    this.#live.onclick = () => live(programme);
    this.#saver.onchange = () => save(programme, this.#saver.checked);
    const keys = button('Keys', 'Keys that do the same');
    keys.onclick = help;
    this.element.append(
      h('div', { className: 'cluster', role: 'group', ariaLabel: 'Go back' }, ...this.#back, this.#catchUp, this.#live, this.#late),
      h('div', { className: 'cluster' }, h('label', { className: 'saver' }, this.#saver, ' Save data'), this.#meter, keys),
    );
  }

  /** @param {boolean} playing @param {boolean} atDoors */
  show(playing, atDoors) {
    const { back, fast, stats, saver } = this.#programme;
    // Behind the hold sound there is nothing.
    for (const one of this.#back) one.hidden = atDoors && !back;
    this.element.hidden = !playing || stats.by === 'hls';
    this.#catchUp.hidden = !back || fast;
    this.#live.hidden = !back;
    this.#saver.checked = saver;
    this.meter();
  }

  meter() {
    const { back, late, stats, saver } = this.#programme;
    put(this.#late, back && late > LATE_SECONDS ? `${clock(late)} behind` : '');
    const hour = saver ? HOUR_BYTES.saver : HOUR_BYTES.full;
    put(this.#meter, `${number(Math.round(hour / MEGA))} MB an hour, ${number(Math.round((stats.bytes / MEGA) * 10) / 10)} MB so far`);
  }
}

/**
 * @param {string} text
 * @param {string} [label]
 */
const button = (text, label) => h('button', { type: 'button', className: 'button quiet', ariaLabel: label ?? null }, text);

/**
 * @param {HTMLElement} element
 * @param {import('./boxes.js').Clock | null} said
 * @param {number} since seconds
 */
function showClock(element, said, since) {
  element.hidden = !said;
  const left = (said?.l ?? []).map(([name, seconds, running]) => {
    const item = h('span', { className: running ? 'runs' : '' }, h('bdi', {}, name), ` ${clock(Math.max(0, seconds - (running ? since : 0)))}`);
    return item;
  });
  element.replaceChildren(...left);
}

const KEYS = /** @type {const} */ ([
  ['Space', 'Listen, stop'],
  ['M', 'Mute, and hear again'],
  ['J', 'Back 15 seconds'],
  ['L', 'Live'],
  ['?', 'This list'],
]);

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement & { press(): void }} player
 * @param {Programme} programme
 */
function pressed(event, player, programme) {
  const at = /** @type {Element} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || at.closest('input:not([type=checkbox], [type=radio]), textarea, select, dialog')) return;
  switch (event.key.toLowerCase()) {
    case ' ':
      // A space on a button or a summary is that button's.
      if (at.closest('button, a, summary, input, label')) return;
      player.press();
      break;
    case 'm':
      sound.audio.muted = !sound.audio.muted;
      player.toggleAttribute('data-muted', sound.audio.muted);
      break;
    case 'j':
      rewind(programme, 15);
      break;
    case 'l':
      live(programme);
      break;
    case '?':
      help();
      break;
    default:
      return;
  }
  event.preventDefault();
}

function help() {
  const rows = KEYS.flatMap(([key, does]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, does)]);
  const close = h('button', { type: 'button', className: 'button' }, 'Close');
  const dialog = h('dialog', { className: 'keys', ariaLabel: 'Keys' }, h('h2', {}, 'Keys'), h('dl', {}, ...rows), close);
  close.onclick = () => dialog.close();
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * The lock screen goes back too.
 * @param {Programme} programme
 * @param {AbortSignal} signal
 */
function mediaKeys(programme, signal) {
  if (!('mediaSession' in navigator)) return;
  const on = /** @type {(name: MediaSessionAction, does: (() => void) | null) => void} */ (
    (name, does) => {
      try {
        navigator.mediaSession.setActionHandler(name, does);
      } catch {
        // This browser has no such key.
      }
    }
  );
  on('seekbackward', () => rewind(programme, 15));
  on('seekforward', () => live(programme));
  signal.addEventListener('abort', () => (on('seekbackward', null), on('seekforward', null)));
}
