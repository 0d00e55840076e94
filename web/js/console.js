/** `<town-console>`: a speaker's or host's place on the stage, from the choice of a microphone to the end of the event. */
import { Level, NoMicrophone, microphones, openMicrophone } from './microphone.js';
import { StageLink } from './stage-link.js';
import { h, initial, number, put, typed } from './words.js';

/** @typedef {import('./stage-link.js').Person} Person */

const NAME = 'townsquare-stage-name';
const LEVEL_MILLIS = 100;
/** A microphone below this for so long is said to be silent. */
const QUIET = { level: 0.2, millis: 4000 };
const LOUD = 0.97;

class TownConsole extends HTMLElement {
  /** @type {MediaStream | null} */ #stream = null;
  /** @type {Level | null} */ #level = null;
  /** @type {StageLink | null} */ #link = null;
  /** @type {import('./stage-link.js').StageState | null} */ #state = null;
  #linked = false;
  /** Whether this side wants to be heard; the stage may still have us muted. */
  #open = true;
  #heardAt = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {AbortController} */ #life = new AbortController();
  /** @type {Map<number, { item: HTMLElement, face: HTMLElement, name: HTMLElement, note: HTMLElement, mute: HTMLButtonElement | null }>} */ #people = new Map();

  #name = h('input', { id: 'stage-name', maxLength: 40, required: true, autocomplete: 'name' });
  #choice = h('select', { id: 'stage-microphone' });
  #meter = h('div', { className: 'level', role: 'meter', ariaLabel: 'Microphone level', ariaValueMin: '0', ariaValueMax: '100', ariaValueNow: '0' });
  #hint = h('p', { className: 'meta', role: 'status' });
  #fault = h('p', { className: 'notice warn', role: 'alert', hidden: true });
  #status = h('p', { className: 'stage-status', role: 'status' });
  #alarm = h('p', { className: 'notice warn', role: 'alert', hidden: true });
  #mine = h('p', { className: 'stage-mine', role: 'status' });
  #mute = button('Mute', 'button mute', () => this.#toggle());
  #list = h('ul', { className: 'people', ariaLabel: 'On stage' });
  #live = button('Go live', 'button', () => void this.#act({ do: 'go-live', yes: true }));
  #end = button('End event', 'button danger', () => this.#confirm.showModal());
  #confirm = h('dialog', { ariaLabel: 'End the event?' });
  #downlink = h('audio', { autoplay: true });

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    addEventListener('beforeunload', (event) => this.#link && event.preventDefault(), { signal });
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#stream && void this.#devices(), { signal });
    this.#name.value = this.#say('name') || remembered();
    this.#choice.addEventListener('change', () => void this.#microphone(this.#choice.value), { signal });
    this.#ask();
  }

  disconnectedCallback() {
    this.#life.abort();
    this.#leave();
  }

  /** @param {string} name */
  #say(name) {
    return this.getAttribute(name) ?? '';
  }

  /** First: who are you? The page above says that this is recorded, before any microphone opens. */
  #ask() {
    const form = h(
      'form',
      { className: 'card stack' },
      h('div', { className: 'field' }, h('label', { htmlFor: 'stage-name' }, 'Your name on stage'), this.#name),
      this.#fault,
      h('div', { className: 'cluster' }, h('button', { type: 'submit', className: 'button' }, 'Turn on the microphone'), h('span', { className: 'meta' }, 'Nobody hears you yet.')),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      remember(this.#name.value.trim());
      void this.#microphone().then((it) => it && this.#check());
    });
    this.replaceChildren(form);
  }

  /** Second: is the sound right? */
  #check() {
    const go = button('Go on stage', 'button', () => this.#enter());
    this.replaceChildren(
      h(
        'section',
        { className: 'card stack' },
        h('div', { className: 'field' }, h('label', { htmlFor: 'stage-microphone' }, 'Microphone'), this.#choice),
        this.#meter,
        this.#hint,
        this.#fault,
        h('div', { className: 'cluster' }, go, button('Back', 'button quiet', () => this.#back())),
        h('p', { className: 'meta' }, 'Wear headphones if you can. Others hear you once you are on stage.'),
      ),
    );
    go.focus();
  }

  #back() {
    this.#leave();
    this.#ask();
  }

  /** Third: on stage. */
  #enter() {
    const track = this.#stream?.getAudioTracks()[0];
    if (!track) return this.#back();
    this.dataset.onStage = '';
    this.#link = new StageLink({
      whip: this.#say('whip'),
      console: this.#say('console'),
      token: this.#say('token'),
      event: this.#say('event'),
      name: this.#name.value.trim(),
      microphone: track,
      said: (said) => this.#said(said),
      sound: (stream) => (this.#downlink.srcObject = stream),
    });
    const yes = button('End for everybody', 'button danger', () => {
      this.#confirm.close();
      void this.#act({ do: 'end' });
    });
    const no = button('Not yet', 'button quiet', () => this.#confirm.close());
    // A second press of Enter must not end what can't be opened again.
    no.autofocus = true;
    this.#confirm.replaceChildren(
      h('h2', {}, 'End the event?'),
      h('p', {}, 'Everybody is disconnected and the replay appears on the event’s page. An ended event can’t go live again.'),
      h('div', { className: 'cluster' }, yes, no),
    );
    const tools = this.#say('as') === 'host' ? [this.#live, this.#end] : [];
    this.replaceChildren(
      h(
        'section',
        { className: 'card stack' },
        this.#status,
        this.#alarm,
        this.#fault,
        h('div', { className: 'cluster stage-self' }, this.#mute, h('div', {}, this.#mine, this.#meter)),
        this.#list,
        h('div', { className: 'cluster' }, ...tools, button('Leave the stage', 'button quiet', () => void this.#link?.leave().finally(() => this.#back()))),
      ),
      this.#confirm,
      this.#downlink,
    );
    this.#show();
    this.#link.open();
  }

  /** @param {import('./stage-link.js').Said} said */
  #said(said) {
    if ('refused' in said) return this.#over(said.refused);
    if ('link' in said) this.#linked = said.link === 'on';
    if ('state' in said) {
      const wasLive = this.#state?.phase === 'live';
      this.#state = said.state;
      if (said.state.phase === 'ended') return this.#over(`The event is over.${wasLive ? ' Its page has the replay in a moment.' : ''}`);
    }
    if ('levels' in said) return this.#levels(new Map(said.levels));
    this.#show();
  }

  /** @param {string} text */
  #over(text) {
    this.#leave();
    this.replaceChildren(h('section', { className: 'card stack' }, h('p', { role: 'status' }, text), h('p', {}, h('a', { className: 'button', href: this.#say('page') || '/' }, 'To the event’s page'))));
  }

  #leave() {
    delete this.dataset.onStage;
    this.#link?.close();
    this.#link = null;
    this.#state = null;
    this.#linked = false;
    this.#people.clear();
    this.#list.replaceChildren();
    this.#downlink.srcObject = null;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    clearInterval(this.#timer);
    this.#level?.close();
    this.#level = null;
  }

  /** @param {string} [device] */
  async #microphone(device) {
    try {
      const stream = await openMicrophone(device);
      this.#stream?.getTracks().forEach((track) => track.stop());
      this.#stream = stream;
      this.#fault.hidden = true;
      const [track] = stream.getAudioTracks();
      track.addEventListener('ended', () => this.#tell('The microphone was unplugged. Choose another one.'));
      this.#hear();
      await this.#devices();
      await this.#link?.microphone(track);
      this.#level ??= new Level();
      this.#level.of(stream);
      clearInterval(this.#timer);
      this.#heardAt = Date.now();
      this.#timer = setInterval(() => this.#measure(), LEVEL_MILLIS);
      return true;
    } catch (error) {
      if (!(error instanceof NoMicrophone)) throw error;
      this.#tell(error.message);
      return false;
    }
  }

  async #devices() {
    const current = this.#stream?.getAudioTracks()[0]?.getSettings().deviceId;
    this.#choice.replaceChildren(...(await microphones()).map(({ id, name }) => h('option', { value: id, selected: id === current }, name)));
  }

  #measure() {
    const level = this.#level?.now() ?? 0;
    const now = Date.now();
    this.#meter.style.setProperty('--level', level.toFixed(2));
    this.#meter.ariaValueNow = String(Math.round(level * 100));
    if (level > QUIET.level) this.#heardAt = now;
    if (level > LOUD) put(this.#hint, 'Too loud: move away a little.');
    else if (now - this.#heardAt > QUIET.millis) put(this.#hint, 'Nothing is heard. Say something, or choose another microphone.');
    else if (level > 0.35) put(this.#hint, 'This is heard well.');
    else if (!this.#hint.textContent) put(this.#hint, 'Say a few words.');
  }

  /** @param {string} text */
  #tell(text) {
    this.#fault.textContent = text;
    this.#fault.hidden = !text;
  }

  /** @param {object} action */
  async #act(action) {
    this.#tell((await this.#link?.act(action)) ?? '');
  }

  get #me() {
    return this.#state?.stage.find((one) => one.id === this.#state?.you.id);
  }

  #toggle() {
    const id = this.#state?.you.id;
    if (id === undefined) return;
    const muted = !(this.#me?.muted ?? false);
    // Silence begins here, before the stage has answered.
    this.#open = !muted;
    this.#hear();
    void this.#act({ do: 'mute', participant: id, muted }).then(() => this.#show());
  }

  /** What leaves this machine: nothing while muted. */
  #hear() {
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = this.#open;
  }

  #show() {
    const state = this.#state;
    const muted = this.#me?.muted ?? false;
    const live = state?.phase === 'live';
    this.#open = !muted;
    this.#hear();
    this.dataset.phase = state?.phase ?? 'connecting';
    put(this.#status, !this.#linked || !state ? (state ? 'Connection lost. Coming back by itself…' : 'Connecting to the stage…') : live ? `Live. ${number(state.listeners)} listening.` : 'Backstage. The audience hears nobody yet.');
    put(this.#mute, muted ? 'Unmute' : 'Mute');
    this.#mute.classList.toggle('off', muted);
    const waited = this.#mute.disabled && !!state;
    this.#mute.disabled = !state;
    // The button that was pressed to come here is gone, and this is the most urgent one.
    if (waited && document.activeElement === document.body) this.#mute.focus();
    put(this.#mine, !state ? '' : muted ? 'You are muted. Nobody hears you.' : live ? 'Your microphone is on. Everybody hears you.' : 'Your microphone is on. The stage hears you.');
    this.#live.hidden = state?.phase !== 'backstage';
    this.#end.hidden = !live;
    this.#alarm.hidden = !state?.alarms.length;
    put(this.#alarm, (state?.alarms ?? []).map((alarm) => (alarm === 'recording-stopped' ? 'The recording has stopped: the disk is full. The live sound goes on.' : alarm)).join(' '));
    this.#showPeople(state?.stage ?? []);
  }

  /** @param {Person[]} people */
  #showPeople(people) {
    for (const [id, { item }] of this.#people) if (!people.some((one) => one.id === id) && this.#people.delete(id)) item.remove();
    for (const one of people) {
      const row = this.#people.get(one.id) ?? this.#row(one);
      const self = one.id === this.#state?.you.id;
      put(row.face, initial(one.name));
      put(row.name, [typed(one.name), self ? ' (you)' : '']);
      put(row.note, [one.role === 'host' ? 'host' : '', one.muted ? 'muted' : '', one.here ? '' : 'away'].filter(Boolean).join(', '));
      row.item.classList.toggle('away', !one.here);
      if (row.mute) row.mute.hidden = one.muted;
    }
  }

  /** @param {Person} one */
  #row(one) {
    const [face, name, note] = [h('span', { className: 'face', ariaHidden: 'true' }), h('span', {}), h('span', { className: 'meta' })];
    const item = h('li', {}, face, name, note);
    const rules = this.#say('as') === 'host' && one.id !== this.#state?.you.id;
    const mute = rules ? button('Mute', 'button quiet small', () => void this.#act({ do: 'mute', participant: one.id, muted: true })) : null;
    if (mute) {
      mute.ariaLabel = `Mute ${one.name}`;
      const remove = button('Remove', 'button quiet small', () => void this.#act({ do: 'remove', participant: one.id }));
      remove.ariaLabel = `Remove ${one.name} from the stage`;
      item.append(h('span', { className: 'tools' }, mute, remove));
    }
    const row = { item, face, name, note, mute };
    this.#people.set(one.id, row);
    this.#list.append(item);
    return row;
  }

  /** @param {Map<number, number>} levels decibels below full scale */
  #levels(levels) {
    for (const [id, { item }] of this.#people) {
      const level = Math.min(1, Math.max(0, (60 - (levels.get(id) ?? 127)) / 50));
      item.style.setProperty('--level', level.toFixed(2));
      item.classList.toggle('speaks', level > 0.1);
    }
  }
}

/**
 * @param {string} text
 * @param {string} className
 * @param {() => void} press
 */
function button(text, className, press) {
  const it = h('button', { type: 'button', className }, text);
  it.addEventListener('click', press);
  return it;
}

function remembered() {
  try {
    return localStorage.getItem(NAME) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // Storage is refused: the name is typed again next time.
  }
}

customElements.define('town-console', TownConsole);
