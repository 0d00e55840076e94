/** `<town-player>`: the button, who speaks, how many listen; asks for the page again once it is old. */
import { Programme, speaking } from './programme.js';
import { sound } from './sound.js';
import { h, names, number, put } from './words.js';

/** How often an idle page asks whether the event has begun or is over, unless it is told to ask more seldom. */
const ASK_SECONDS = 20;
/** Pages that were asked for because there is sound. */
const asked = new Set();
/** Pages of events that are over but that did not say so yet. */
const over = new Set();

class TownPlayer extends HTMLElement {
  #button = h('button', { type: 'button', className: 'listen' });
  #label = h('span', { className: 'listen-label' });
  #line = h('p', { className: 'player-line' });
  #count = h('p', { className: 'meta player-count' });
  #notice = h('p', { className: 'notice warn', hidden: true, role: 'alert' });
  #rest = h('div', { className: 'stack' });
  /** What comes once there is something to hear. @type {import('./listening.js').Listening | null} */
  #more = null;
  /** @type {Programme | null} */
  #programme = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #asking;
  /** @type {AbortController | null} */
  #life = null;

  get stats() {
    return { ...this.#programme?.stats, state: this.#programme?.state ?? 'idle', rate: sound.audio.playbackRate };
  }

  connectedCallback() {
    const say = /** @param {string} name */ (name) => this.getAttribute(name) ?? '';
    const event = say('event');
    const current = sound.current;
    this.#programme =
      current instanceof Programme && current.key === event
        ? current
        : new Programme({ event, title: say('label'), page: say('page'), stream: say('stream'), hls: say('hls') });
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.#button.onclick = () => this.press();
    sound.addEventListener('change', () => this.#show(), { signal });
    sound.addEventListener('facts', () => this.#show(), { signal });
    this.#button.replaceChildren(h('span', { className: 'meter', ariaHidden: 'true' }), h('span', { className: 'glyph', ariaHidden: 'true' }), this.#label);
    const panel = h('div', { className: 'player' }, this.#button, h('div', { className: 'player-words' }, this.#line, this.#count));
    this.replaceChildren(panel, this.#notice, this.#rest);
    if (sound.wasPlaying(event)) sound.play(this.#programme);
    document.addEventListener('keydown', (event) => void this.#add().then(() => this.#more?.key(event)), { signal, once: true });
    this.#show();
    this.#ask();
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#more = null;
    clearTimeout(this.#asking);
  }

  /** What the page says of the event: announced, doors, live or ended. */
  get #phase() {
    return this.getAttribute('phase');
  }

  /** The button's press, and a key's. */
  press() {
    if (!this.#programme) return;
    if (on(this.#programme)) sound.stop();
    else sound.play(this.#programme);
  }

  async #add() {
    const { Listening } = await import('./listening.js');
    if (this.#more || !this.#programme || this.#life?.signal.aborted !== false) return;
    this.#more = new Listening(this, this.#programme, this.#life.signal);
    this.#rest.replaceChildren(this.#more.element);
    this.#show();
  }

  #show() {
    const programme = this.#programme;
    if (!programme) return;
    const playing = on(programme);
    this.dataset.state = programme.state;
    this.#label.textContent = playing ? 'Stop' : programme.state === 'elsewhere' ? 'Listen here' : 'Listen';
    const { facts } = programme;
    const heard = playing ? speaking(facts) : [];
    put(this.#line, this.#sentence(programme, heard.map((one) => one.name).sort()));
    this.#count.textContent = playing && facts.n ? `${number(facts.n)} listening` : '';
    this.style.setProperty('--level', String(heard[0]?.level ?? 0));
    this.#notice.hidden = facts.r !== 0;
    this.#notice.textContent = facts.r === 0 ? 'The recording has stopped. You still hear everything live.' : '';
    if (programme.state === 'playing' && !this.#more) void this.#add();
    if (programme.state === 'ended') over.add(programme.key);
    const isOld = this.#phase === 'announced' ? facts.n || facts.b === 0 || programme.stats.by === 'hls' : this.#phase === 'doors' && facts.b;
    if (over.has(programme.key) || isOld) this.#refresh();
  }

  /**
   * @param {Programme} programme
   * @param {string[]} who
   */
  #sentence(programme, who) {
    switch (programme.state) {
      case 'playing':
        if (this.#more?.line()) return this.#more.line();
        return who.length ? [...names(who), ` ${who.length > 1 ? 'are' : 'is'} speaking`] : 'Live. Nobody is speaking.';
      case 'connecting':
        return 'Connecting…';
      case 'blocked':
        return 'Your browser wants a press before it plays sound.';
      case 'elsewhere':
        return 'The sound is in another tab now.';
      case 'waiting':
      case 'ended':
      case 'failed':
        return programme.text;
      case 'idle':
      case 'paused':
        return this.#phase === 'announced' ? 'Press once: the sound starts when the event does.' : this.#phase === 'doors' ? 'The doors are open' : 'Live now';
    }
  }

  /** While nothing plays, the page asks now and then whether the event began or ended. */
  #ask(seconds = ASK_SECONDS) {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => void this.#asked().catch(() => {}).then((later) => this.isConnected && this.#ask(later ?? ASK_SECONDS)), seconds * (750 + Math.random() * 500));
  }

  async #asked() {
    const programme = this.#programme;
    if (!programme || document.hidden || on(programme)) return;
    const answer = await fetch(programme.of.stream, { method: 'HEAD', credentials: 'omit', cache: 'no-store' }).catch(() => null);
    if (!answer) return;
    const outcome = answer.ok ? 'live' : await (await import('./refused.js')).refused(answer);
    if (outcome === 'ended') over.add(programme.key);
    // While the doors are open the page stays as it is: it is asked for once.
    if (outcome === 'live' && this.#phase === 'announced' && !asked.has(programme.key)) {
      asked.add(programme.key);
      this.#refresh();
    }
    this.#show();
    if (typeof outcome === 'object' && 'seconds' in outcome) return Math.max(ASK_SECONDS, outcome.seconds);
  }

  #refresh() {
    document.dispatchEvent(new CustomEvent('townsquare:refresh', { detail: this.#programme?.facts.n }));
  }
}

/** @param {Programme} programme */
const on = (programme) => programme === sound.current && ['connecting', 'playing', 'waiting'].includes(programme.state);

customElements.define('town-player', TownPlayer);
