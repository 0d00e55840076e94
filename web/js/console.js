/** `<town-console>`: a speaker's or host's place on the stage, from the choice of a microphone to the end of the event. */
import { Board } from './console/board.js';
import { Check, blockedWords } from './console/check.js';
import { DebateClock } from './console/clock.js';
import { ask, button } from './console/controls.js';
import { People } from './console/people.js';
import { Queue } from './console/queue.js';
import { Rule } from './console/rule.js';
import { Level, NoMicrophone, microphones, openMicrophone } from './microphone.js';
import { StageLink } from './stage-link.js';
import { Yielding } from './console/yielding.js';
import { Fairness } from './fairness.js';
import { sound } from './sound.js';
import { showTime } from './square.js';
import { h, number, put } from './words.js';

const NAME = 'townsquare-stage-name';
const LEVEL_MILLIS = 100;
/** Who is this loud in so many more moments than not while muted talks and does not know it; told once, and again after a while. */
const TALKS = { level: 0.45, moments: 4, moments_max: 6, again_millis: 5000 };
/** How long a passing remark stays. */
const REMARK_MILLIS = 6000;
/** A microphone that was connected a moment ago is heard by then, if at all. */
const SOON = { times: 8, millis: 250 };

const KEYS = [
  ['M', 'mute or unmute yourself'],
  ['Tab, Shift Tab', 'go to the next or the last control'],
  ['Enter, Space', 'press it'],
  ['Esc', 'close a question without answering'],
  ['?', 'show these keys'],
];

class TownConsole extends HTMLElement {
  /** @type {MediaStream | null} */ #stream = null;
  /** What is measured: it hears on while what is sent is silenced. @type {MediaStream | null} */ #measured = null;
  /** @type {Level | null} */ #level = null;
  /** @type {StageLink | null} */ #link = null;
  /** @type {import('./stage-link.js').StageState | null} */ #state = null;
  #linked = false;
  /** Whether this side wants to be heard; the stage may still have us muted. */
  #open = true;
  #talks = { moments: 0, told: 0 };
  /** Who was in charge, as far as it was said. @type {number | null | undefined} */ #charge;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #remarkEnds;
  /** @type {AbortController} */ #life = new AbortController();
  #yielding = new Yielding();

  #name = h('input', { id: 'stage-name', type: 'text', maxLength: 40, required: true, autocomplete: 'name' });
  #meter = h('div', { className: 'level', role: 'meter', ariaLabel: 'Microphone level', ariaValueMin: '0', ariaValueMax: '100', ariaValueNow: '0' });
  #fault = h('p', { className: 'notice warn', role: 'alert', hidden: true });
  #status = h('p', { className: 'stage-status', role: 'status' });
  #begins = h('p', { className: 'meta', hidden: true });
  #alarm = h('p', { className: 'notice warn', role: 'alert', hidden: true });
  #told = h('p', { className: 'notice warn', role: 'alert', hidden: true });
  #remark = h('p', { className: 'notice', role: 'status', hidden: true });
  #inCharge = h('p', { className: 'notice', role: 'status', hidden: true });
  #mine = h('p', { className: 'stage-mine', role: 'status' });
  #mute = button('Mute', 'button mute', () => this.#toggle());
  #speak = button('Turn on the microphone', 'button', () => void this.#microphone().then((it) => it && this.#onStage()));
  #step = button('', 'button', () => void this.#act({ do: 'step', backstage: !this.#me?.backstage }));
  #ready = button('', 'button quiet', () => void this.#getReady());
  #leaves = button('Leave the stage', 'button quiet', () => void this.#link?.leave().finally(() => this.#left()));
  #page = h('a', {}, 'Back to the event’s page');
  #downlink = h('audio', { autoplay: true });
  #keys = h('dialog', { ariaLabel: 'Keys' }, h('h2', {}, 'Keys'), h('dl', { className: 'facts' }, ...KEYS.flatMap(([key, does]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, does)])));
  #sound = h('details', { className: 'card' }, h('summary', {}, 'Sound check'));

  #desk = { act: (/** @type {object} */ action) => this.#act(action), say: (/** @type {string} */ text) => this.#say(text) };
  #check = new Check(async () => (await this.#link?.check(this.#given('check'))) ?? { fault: '', code: '', answer: null });
  #people = new People(this.#desk);
  #queue = new Queue(this.#desk);
  #clock = new DebateClock(this.#desk);
  #fairness = new Fairness();
  #board = new Board(this.#desk, () => ({ event: this.#given('event'), token: this.#given('token') }));
  #rule = new Rule(this.#desk, () => this.#showCheck());

  connectedCallback() {
    this.#life = new AbortController();
    const { signal } = this.#life;
    addEventListener('beforeunload', (event) => this.#link && event.preventDefault(), { signal });
    // The others learn at once that somebody is gone, not when their silence is noticed.
    addEventListener('pagehide', () => this.#leave(), { signal });
    addEventListener('pageshow', (event) => event.persisted && this.#ask(), { signal });
    document.addEventListener('keydown', (event) => this.#key(event), { signal });
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.#stream && void this.#devices(), { signal });
    this.#name.value = this.#given('name') || remembered();
    this.#page.href = this.#given('page') || '/';
    this.#check.choice.addEventListener('change', () => void this.#microphone(this.#check.choice.value), { signal });
    const close = button('Close', 'button quiet', () => this.#keys.close());
    this.#keys.append(close);
    this.#ask();
  }

  disconnectedCallback() {
    this.#life.abort();
    this.#leave();
  }

  /** @param {string} name */
  #given(name) {
    return this.getAttribute(name) ?? '';
  }

  /**
   * First: who are you? The page above says that this is recorded, before any microphone opens.
   * @param {string} [said] what comes before it
   */
  #ask(said) {
    const form = h(
      'form',
      { className: 'card stack' },
      ...(said ? [h('p', { role: 'status' }, said)] : []),
      h('div', { className: 'field' }, h('label', { htmlFor: 'stage-name' }, 'Your name on stage'), this.#name),
      this.#fault,
      h('div', { className: 'cluster' }, h('button', { type: 'submit', className: 'button' }, 'Turn on the microphone'), h('span', { className: 'meta' }, 'Nobody hears you yet.')),
      // Who runs it and comes from another machine does not first look for a microphone.
      ...(this.#rules ? [h('div', { className: 'cluster' }, button('Run the event without a microphone', 'button quiet', () => this.#name.reportValidity() && this.#enter()))] : []),
      h('p', { className: 'meta' }, this.#page),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      remember(this.#name.value.trim());
      void this.#microphone().then((it) => it && this.#first());
    });
    this.replaceChildren(form);
  }

  /** Second: does this machine hear anything? */
  #first() {
    const go = button('Go backstage', 'button', () => this.#enter());
    this.replaceChildren(
      h(
        'section',
        { className: 'card stack' },
        this.#check.element,
        this.#meter,
        this.#fault,
        h('div', { className: 'cluster' }, go, button('Back', 'button quiet', () => this.#back())),
        h('p', { className: 'meta' }, 'Wear headphones if you can. Backstage the others hear you, the audience does not.'),
      ),
    );
    go.focus();
  }

  /** @param {string} [said] */
  #back(said) {
    this.#leave();
    this.#ask(said);
  }

  /** Whose tab played the event before they came hears it again on its page, in this document: they pressed a button here. */
  #left() {
    if (this.#state?.phase === 'ended') return this.#over('You have left, and the event is over.');
    this.#back('You have left the stage. On the event’s page you hear it as a listener.');
    if (sound.wasPlaying(this.#given('event'))) this.#page.click();
    else this.#page.focus();
  }

  /** Whether the link alone lets one run the event. */
  get #rules() {
    return ['host', 'co-host'].includes(this.#given('as'));
  }

  /** The sound of this event is the stage's from here on. */
  #onStage() {
    this.dataset.onStage = '';
    this.#yielding.take();
    this.#show();
  }

  /** Third: with the others, backstage and on stage; who runs the event may do so without a microphone. */
  #enter() {
    const track = this.#stream?.getAudioTracks()[0] ?? null;
    if (!track && !this.#rules) return this.#back();
    remember(this.#name.value.trim());
    this.#link = new StageLink({
      whip: this.#given('whip'),
      console: this.#given('console'),
      token: this.#given('token'),
      event: this.#given('event'),
      name: this.#name.value.trim(),
      microphone: track,
      said: (said) => this.#said(said),
      sound: (stream) => (this.#downlink.srcObject = stream),
    });
    this.#sound.append(this.#check.element);
    this.#sound.open = true;
    const keys = button('Keys', 'button link', () => this.#keys.showModal());
    const self = h('div', { className: 'cluster stage-self' }, this.#mute, h('div', {}, this.#mine, this.#meter));
    this.replaceChildren(
      h('section', { className: 'card stack' }, this.#status, this.#begins, this.#alarm, this.#fault, this.#inCharge, this.#remark),
      h('section', { className: 'stage-bar', ariaLabel: 'You' }, this.#told, self, h('div', { className: 'cluster' }, this.#speak, this.#step, this.#ready, this.#leaves, keys)),
      this.#sound,
      this.#rule.element,
      this.#people.element,
      this.#queue.element,
      this.#clock.element,
      this.#fairness.element,
      this.#board.element,
      this.#keys,
      this.#downlink,
    );
    if (track) this.#onStage();
    else this.#show();
    this.#link.open();
  }

  /** @param {import('./stage-link.js').Said} said */
  #said(said) {
    if ('refused' in said) return this.#over(said.refused);
    if ('levels' in said) return this.#people.levels(new Map(said.levels));
    if ('talking_muted' in said) return this.#tellTalking();
    if ('trouble' in said) return this.#tell(said.trouble);
    if ('blocked' in said) return this.#tell(said.blocked ? blockedWords(said.blocked) : '');
    if ('link' in said) this.#linked = said.link === 'on';
    if ('state' in said) {
      const before = this.#state?.phase;
      this.#state = said.state;
      if (said.state.phase === 'ended' && !this.#me?.here) return this.#over(`The event is over.${before === 'live' ? ' Its page has the replay in a moment.' : ''}`);
      if (said.state.phase === 'ended') this.#amongThemselves(before);
      if (before === 'doors' && said.state.phase === 'live') this.#say('The event has begun.');
    }
    this.#show();
  }

  /** The event is over; who is still here talks on. @param {string | undefined} before */
  #amongThemselves(before) {
    if (before === 'ended') return;
    for (const part of [this.#sound, this.#rule.element, this.#queue.element, this.#clock.element, this.#board.element]) part.remove();
    this.#people.element.after(h('p', {}, h('a', { href: this.#given('page'), target: '_blank' }, 'The event’s page, with the replay in a moment')));
  }

  /** @param {string} text */
  #over(text) {
    this.#leave();
    this.replaceChildren(h('section', { className: 'card stack' }, h('p', { role: 'status' }, text), h('p', {}, h('a', { className: 'button', href: this.#given('page') || '/' }, 'To the event’s page'))));
  }

  #leave() {
    delete this.dataset.onStage;
    delete this.dataset.place;
    this.#link?.close();
    this.#link = null;
    this.#state = null;
    this.#linked = false;
    this.#charge = undefined;
    for (const part of [this.#people, this.#queue, this.#clock, this.#fairness, this.#rule, this.#board, this.#check]) part.clear();
    for (const part of [this.#told, this.#remark, this.#inCharge]) part.hidden = true;
    this.#downlink.srcObject = null;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#measured?.getTracks().forEach((track) => track.stop());
    this.#stream = this.#measured = null;
    clearInterval(this.#timer);
    this.#level?.close();
    this.#level = null;
    this.#yielding.give();
  }

  /** @param {string} [device] */
  async #microphone(device) {
    try {
      const stream = await openMicrophone(device);
      for (const old of [this.#stream, this.#measured]) old?.getTracks().forEach((track) => track.stop());
      this.#stream = stream;
      this.#fault.hidden = true;
      const [track] = stream.getAudioTracks();
      track.addEventListener('ended', () => this.#tell('The microphone was unplugged. Choose another one.'));
      this.#measured = new MediaStream([track.clone()]);
      this.#hear();
      await this.#devices();
      await this.#link?.microphone(track);
      this.#level ??= new Level();
      this.#level.of(this.#measured);
      clearInterval(this.#timer);
      this.#check.begin();
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
    this.#check.choice.replaceChildren(...(await microphones()).map(({ id, name }) => h('option', { value: id, selected: id === current }, name)));
  }

  #measure() {
    const level = this.#level?.now() ?? 0;
    this.#meter.style.setProperty('--level', level.toFixed(2));
    this.#meter.ariaValueNow = String(Math.round(level * 100));
    this.#check.level(level);
    // Seen here before the stage could: nothing of who is muted leaves this machine.
    const { moments } = this.#talks;
    this.#talks.moments = !this.#me?.muted ? 0 : level < TALKS.level ? Math.max(0, moments - 1) : Math.min(TALKS.moments_max, moments + 1);
    if (this.#talks.moments >= TALKS.moments) this.#tellTalking();
  }

  /** Who talks and is muted is told so, and again after a while. */
  #tellTalking() {
    const now = Date.now();
    if (now - this.#talks.told < TALKS.again_millis || !this.#me?.muted) return;
    this.#talks.told = now;
    put(this.#told, '');
    put(this.#told, 'You are talking, but you are muted. Press Unmute, or M, to be heard.');
    this.#told.hidden = false;
  }

  /** @param {string} text what is wrong; empty when nothing is any more */
  #tell(text) {
    this.#fault.textContent = text;
    this.#fault.hidden = !text;
  }

  /** Says something that passes. @param {string} text */
  #say(text) {
    put(this.#remark, text);
    this.#remark.hidden = false;
    clearTimeout(this.#remarkEnds);
    this.#remarkEnds = setTimeout(() => (this.#remark.hidden = true), REMARK_MILLIS);
  }

  /** Ready for an event that begins by itself: a microphone that was silent is asked about first. */
  async #getReady() {
    const ready = !this.#isReady;
    const done = await this.#act({ do: 'ready', ready });
    if (done.code !== 'microphone-silent') return;
    const sure = await ask({
      title: 'Ready in silence?',
      words: `Nothing was heard from ${this.#stream ? 'your' : 'any'} microphone. Are you ready all the same?`,
      yes: 'I am ready all the same',
      no: 'Check the microphone',
      danger: false,
    });
    if (sure) await this.#act({ do: 'ready', ready, yes: true });
    else this.#showCheck();
  }

  /** @param {object} action */
  async #act(action) {
    const send = async () => (await this.#link?.act(action)) ?? { fault: '', code: '', answer: {} };
    let done = await send();
    for (let i = 0; i < SOON.times && done.code === 'microphone-silent'; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, SOON.millis));
      done = await send();
    }
    // A silent microphone is asked about where the answer is needed.
    this.#tell(done.code === 'microphone-silent' ? '' : done.fault);
    return done;
  }

  /** Who rules may be ready without a microphone, too. */
  get #isReady() {
    const { you } = this.#state ?? {};
    return this.#me ? this.#me.ready : you?.rules ? you.ready : undefined;
  }

  get #me() {
    return this.#state?.stage.find((one) => one.id === this.#state?.you?.id);
  }

  #toggle() {
    const id = this.#state?.you?.id;
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

  /** @param {KeyboardEvent} event */
  #key(event) {
    const typing = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]');
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing || document.querySelector('dialog[open]')) return;
    if (event.key === '?' && this.#keys.isConnected) this.#keys.showModal();
    else if (event.key.toLowerCase() === 'm' && this.#link) this.#toggle();
    else return;
    event.preventDefault();
  }

  #showCheck() {
    this.#sound.open = true;
    this.#check.choice.focus();
  }

  #show() {
    const state = this.#state;
    const me = this.#me;
    const muted = me?.muted ?? false;
    const live = state?.phase === 'live';
    const aside = me?.backstage === true;
    this.#open = !muted;
    this.#hear();
    if (!muted) this.#told.hidden = true;
    this.dataset.phase = state?.phase ?? 'connecting';
    if (me) this.dataset.place = aside ? 'backstage' : 'stage';
    put(this.#status, this.#statusWords());
    this.#showBegins();
    this.#speak.hidden = this.#stream !== null;
    this.#mute.hidden = this.#stream === null;
    put(this.#mute, muted ? 'Unmute' : 'Mute');
    this.#mute.classList.toggle('off', muted);
    const waited = this.#mute.disabled && !!me;
    this.#mute.disabled = !me;
    // The button that was pressed to come here is gone, and this is the most urgent one.
    if (waited && document.activeElement === document.body) this.#mute.focus();
    put(this.#mine, this.#mineWords());
    this.#alarm.hidden = !state?.alarms.length;
    put(this.#alarm, (state?.alarms ?? []).map((alarm) => (alarm === 'recording-stopped' ? 'The recording has stopped: the disk is full. The live sound goes on.' : alarm)).join(' '));
    // What a stage says nothing of is not offered.
    const over = state?.phase === 'ended';
    this.#step.hidden = over || me?.backstage === undefined || (!live && !aside);
    put(this.#step, aside ? 'Step on stage' : 'Step backstage');
    this.#step.classList.toggle('quiet', !aside);
    this.#ready.hidden = over || this.#isReady === undefined || live;
    put(this.#ready, this.#isReady ? 'I am not ready after all' : 'I am ready');
    if (state) this.#showParts(state);
  }

  /** When it begins, and what is needed for it. */
  #showBegins() {
    const { phase, start_at: at = null, you } = this.#state ?? {};
    const waits = phase === 'backstage' || phase === 'doors';
    this.#begins.hidden = !waits || at === null;
    if (!waits || at === null) return;
    const time = h('time', { dateTime: new Date(at).toISOString() });
    showTime(time);
    const [early, late] = !you?.rules
      ? [', by itself once its host is ready.', '. It begins as soon as its host is ready.']
      : this.#isReady
        ? [', by itself: you are ready.', '. It begins as soon as a microphone is there.']
        : [', by itself when you are ready by then.', '. It begins as soon as you are ready.'];
    put(this.#begins, Date.now() < at ? ['Begins ', time, early] : ['Was to begin ', time, late]);
  }

  /** @param {import('./stage-link.js').StageState} state */
  #showParts(state) {
    const role = state.you?.role ?? 'speaker';
    const may = { rules: state.you?.rules ?? role === 'host' };
    this.#check.show(state.you?.connection, this.#me?.here ?? false);
    this.#showCharge(state, may);
    for (const part of [this.#people, this.#queue, this.#clock, this.#rule, this.#board]) part.show(state, may);
    this.#fairness.show((state.spoken ?? []).filter(([, ms]) => ms >= 1000).map(([key, ms, name]) => ({ key, ms, name })));
  }

  /** Who hears me. */
  #mineWords() {
    const [state, me] = [this.#state, this.#me];
    if (!state) return '';
    if (!me?.here) return this.#stream ? 'Your microphone is being connected…' : 'You run the event without a microphone. Nobody hears you.';
    if (me.muted) return mutedWords(me.muted_by);
    if (state.phase === 'ended') return 'Your microphone is on. Those who are still here hear you.';
    if (state.phase !== 'live') return 'Your microphone is on. The stage hears you.';
    return me.backstage ? 'Your microphone is on. Backstage hears you, the audience does not.' : 'Your microphone is on. Everybody hears you.';
  }

  #statusWords() {
    const state = this.#state;
    if (!state) return 'Connecting to the stage…';
    if (!this.#linked) return 'Connection lost. Coming back by itself…';
    if (state.phase === 'live') return `Live. ${number(state.listeners)} listening.`;
    if (state.phase === 'ended') return 'The event is over. You are among yourselves: nobody else hears you, and nothing is recorded. Whoever leaves can’t come back.';
    if (state.phase === 'doors') return `The doors are open. ${state.listeners ? `${number(state.listeners)} waiting, and they hear the hold sound alone.` : 'Nobody is waiting yet.'}`;
    return 'Backstage. The audience hears nobody yet.';
  }

  /**
   * Who takes over is told, and so is who had it and has it no more.
   * @param {import('./stage-link.js').StageState} state
   * @param {{ rules: boolean }} may
   */
  #showCharge(state, { rules }) {
    const { in_charge: charge, you } = state;
    if (charge === undefined || state.phase !== 'live') return;
    const heir = state.stage.find((one) => one.id === charge && one.role !== 'host');
    const mine = heir !== undefined && heir.id === you?.id && rules;
    const hosts = state.stage.some((one) => one.role === 'host' && one.here);
    if (heir) put(this.#inCharge, `${hosts ? '' : 'The host is gone. '}${mine ? 'You are' : `${heir.name} is`} in charge.`);
    const had = this.#charge !== undefined && this.#charge !== null && state.stage.some((one) => one.id === this.#charge && one.role !== 'host');
    if (!heir && had) this.#say(state.you?.role === 'host' ? 'You are in charge again.' : 'The host is back and in charge again.');
    this.#inCharge.hidden = !heir;
    this.#charge = charge;
  }
}

/** @param {import('./stage-link.js').Person['muted_by']} by who has muted us */
function mutedWords(by) {
  if (by === 'clock') return 'Your time is spent. The host can give you more.';
  return by === 'host' ? 'The host muted you. Nobody hears you.' : 'You are muted. Nobody hears you.';
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
