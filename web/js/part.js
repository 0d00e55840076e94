/**
 * `<town-part>`: what an audience takes part in, alive: its forms are sent without leaving the page, and what the stream says of pins, poll and
 * questions is shown as it changes. Without script the forms do the same.
 */
import { Programme } from './programme.js';
import { sound } from './sound.js';
import { h, number, put } from './words.js';

/** How often who waits with a raised hand asks what became of it. */
const HAND_MILLIS = 3000;

/**
 * Votes are not taken back: what the page has counted, one's own vote in it, the stream only says some seconds later.
 * @param {HTMLElement} shown
 * @param {number} votes
 */
function most(shown, votes) {
  const known = Math.max(votes, Number(shown.dataset.votes ?? 0));
  shown.dataset.votes = String(known);
  return known;
}

class TownPart extends HTMLElement {
  /** @type {AbortController | null} */ #life = null;
  /** @type {unknown[]} */ #said = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  /** Whether the page is to be asked again once nobody types here. */
  #late = false;

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.addEventListener('submit', (event) => void this.#submit(event), { signal });
    // What was put off while somebody typed.
    this.addEventListener('focusout', () => setTimeout(() => this.#late && this.#again()), { signal });
    sound.addEventListener('facts', () => this.#show(), { signal });
    sound.addEventListener('change', () => this.#show(), { signal });
    this.#said = [];
    this.#watch();
    this.#show();
  }

  disconnectedCallback() {
    this.#life?.abort();
    clearTimeout(this.#timer);
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    event.preventDefault();
    event.stopPropagation();
    const fields = new URLSearchParams([...new FormData(form)].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
    const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
    // A button that is disabled loses the focus.
    const hadFocus = form.contains(document.activeElement);
    if (button) button.disabled = true;
    const answer = await fetch(form.action, { method: 'POST', body: fields, headers: { accept: 'text/html' } }).catch(() => null);
    await this.#take(answer, form, hadFocus ? form : document.activeElement);
    if (button) button.disabled = false;
    if (hadFocus && form.isConnected) button?.focus();
  }

  /**
   * Shows the part of an answered page.
   * @param {Response | null} answer
   * @param {HTMLFormElement | null} [sent] the form that it answers
   * @param {Element | null} [focus] what has the focus, or had it
   */
  async #take(answer, sent = null, focus = document.activeElement) {
    const page = answer && new DOMParser().parseFromString(await answer.text().catch(() => ''), 'text/html');
    const fresh = answer?.ok ? page?.querySelector('#part') : null;
    if (!fresh) return this.#fault(page?.querySelector('main .lede')?.textContent ?? 'That did not work. Check your connection and try again.');
    const details = /** @type {NodeListOf<HTMLDetailsElement>} */ (this.querySelectorAll('details[open]'));
    // A form that was sent is closed again; the others stay as they were.
    const open = new Set([...details].filter((one) => !one.contains(sent)).map((one) => one.firstElementChild?.textContent));
    const at = this.contains(focus) ? focus?.closest('section')?.className : undefined;
    if (fresh.localName !== 'town-part') return this.replaceWith(document.importNode(fresh, true));
    this.replaceChildren(...[...fresh.children].map((child) => document.importNode(child, true)));
    for (const one of this.querySelectorAll('details')) one.open = open.has(one.firstElementChild?.textContent);
    if (at) this.#focus(at);
    this.#said = [];
    this.#watch();
    this.#show();
  }

  /** Puts the focus where it was, though everything there is new. @param {string} at a section's class */
  #focus(at) {
    const parts = [':is(button:not([disabled]), a, summary)', 'h2'].map((part) => this.querySelector(`section.${at} ${part}`));
    const part = /** @type {HTMLElement | null | undefined} */ (parts.find(Boolean));
    if (part?.localName === 'h2') part.tabIndex = -1;
    part?.focus({ preventScroll: true });
  }

  /** @param {string} text */
  #fault(text) {
    const notice = this.querySelector(':scope > .notice.warn') ?? h('p', { className: 'notice warn', role: 'alert' });
    put(notice, text);
    this.prepend(notice);
  }

  /** Who waits is told when a host lets them on stage. */
  #watch() {
    clearTimeout(this.#timer);
    const hand = this.querySelector('[data-hand][data-waits]')?.getAttribute('data-hand');
    if (!hand) return;
    this.#timer = setTimeout(() => void this.#ask(hand), HAND_MILLIS * (0.75 + Math.random() / 2));
  }

  /** @param {string} hand */
  async #ask(hand) {
    const ticket = this.getAttribute('ticket');
    const answer = await fetch(`/api/townsquare/v1/events/${this.getAttribute('event')}/hand/${hand}`, {
      headers: ticket ? { authorization: `Bearer ${ticket}` } : {},
      cache: 'no-store',
    }).catch(() => null);
    const said = answer?.ok ? await answer.json().catch(() => null) : null;
    const line = this.querySelector('[data-hand] .place');
    if (!this.isConnected) return;
    if (said && said.standing !== 'waiting') return this.#take(await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store' }).catch(() => null));
    if (said && line) put(line, number(said.place));
    this.#watch();
  }

  #show() {
    const { current } = sound;
    if (!(current instanceof Programme) || current.key !== this.getAttribute('event')) return;
    const { p, o, q } = current.facts;
    if (p && p !== this.#said[0]) this.#pins((this.#said[0] = p));
    if (o !== undefined && o !== this.#said[1]) this.#poll((this.#said[1] = o));
    if (q && q !== this.#said[2]) this.#questions((this.#said[2] = q));
  }

  /** @param {[number, string, string][]} pins */
  #pins(pins) {
    const list = this.querySelector('[data-live=pins]');
    if (!list) return;
    const known = new Map([...list.children].map((item) => [item.getAttribute('data-pin'), item]));
    const items = pins.map(([id, text, address]) => {
      const link = address ? h('a', { href: address, rel: 'nofollow noopener noreferrer', target: '_blank', dir: 'auto' }, text) : h('span', { dir: 'auto' }, text);
      const item = known.get(String(id)) ?? h('li', {}, link);
      item.setAttribute('data-pin', String(id));
      return item;
    });
    // The stream says the newest; older ones stand below them.
    const least = pins.length ? Math.min(...pins.map(([id]) => id)) : Infinity;
    const older = pins.length < 3 ? [] : [...known].filter(([id]) => Number(id) < least).map(([, item]) => item);
    list.replaceChildren(...items, ...older);
    /** @type {HTMLElement | null} */ (list.closest('section'))?.toggleAttribute('hidden', !list.children.length && !this.hasAttribute('runs'));
  }

  /** @param {import('./boxes.js').Poll | null} poll */
  #poll(poll) {
    const place = this.querySelector('[data-live=poll]');
    if (!place) return;
    const form = place.querySelector('form');
    /** @type {HTMLElement | null} */ (place.closest('section'))?.toggleAttribute('hidden', !poll && !this.hasAttribute('runs'));
    if (!poll) return place.replaceChildren();
    // Another poll, or one that was closed: the page has the form for it.
    if (form?.dataset.poll !== String(poll.id) || form.dataset.open !== String(poll.open)) return void this.#again();
    const shares = /** @type {HTMLElement[]} */ ([...form.querySelectorAll('.choice .meta')]);
    const votes = shares.map((meta, i) => most(meta, poll.n[i] ?? 0));
    const all = votes.reduce((sum, some) => sum + some, 0);
    shares.forEach((meta, i) => put(meta, `${number(votes[i])} · ${Math.floor((votes[i] * 100) / Math.max(1, all))} %`));
    const voted = form.querySelector('.voted');
    if (voted) put(voted, number(all));
  }

  /** @param {[number, string, number][]} questions */
  #questions(questions) {
    const list = this.querySelector('[data-live=questions]');
    if (!list) return;
    const known = new Map([...list.children].map((item) => [item.getAttribute('data-question'), item]));
    for (const [id, , votes] of questions) {
      const count = /** @type {HTMLElement | null | undefined} */ (known.get(String(id))?.querySelector('.votes'));
      if (count) put(count, number(most(count, votes)));
    }
    const first = questions.map(([id]) => known.get(String(id)));
    if (first.includes(undefined)) void this.#again();
    else list.prepend(.../** @type {Element[]} */ (first).filter((item) => !item.contains(document.activeElement)));
  }

  #again() {
    if (this.dataset.asked) return;
    // An audience learns it at the same moment: it asks over the next seconds.
    this.dataset.asked = '1';
    const crowd = sound.current instanceof Programme ? (sound.current.facts.n ?? 0) : 0;
    setTimeout(() => {
      delete this.dataset.asked;
      // What is being typed or chosen is not taken away.
      this.#late = !!this.querySelector('form :is(input, textarea):focus');
      if (!this.isConnected || this.#late) return;
      void fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store' }).then(
        async (answer) => {
          if (this.isConnected && answer.ok) await this.#take(answer);
        },
        () => {},
      );
    }, 200 + Math.random() * Math.max(1000, crowd));
  }
}

customElements.define('town-part', TownPart);
