/** What the audience sees beside the sound, for who rules: its questions, a poll, and what is pinned. The square keeps it. */
import { h, number, put, typed } from '../words.js';
import { button, keep } from './controls.js';

/** @typedef {{ id: number, text: string, name: string, votes: number }} Question */
/** @typedef {{ id: number, question: string, answers: string[], votes: number[], open: boolean }} Poll */
/** @typedef {{ id: number, text: string, url: string }} Pin */
/** @typedef {{ pins: Pin[], poll: Poll | null, questions: Question[] }} Hung */
/** @typedef {{ item: HTMLElement, text: HTMLElement, note: HTMLElement }} Row */

/** How often the square is asked what hangs there. */
const LOOK_MILLIS = 5000;

export class Board {
  #desk;
  #with;
  #questions = h('ul', { className: 'hands', ariaLabel: 'Questions' });
  #noQuestions = h('p', { className: 'meta' }, 'Nobody has asked anything yet.');
  #poll = h('div', { className: 'stack' });
  #pins = h('ul', { className: 'hands', ariaLabel: 'Pinned' });
  #pollQuestion = h('input', { id: 'poll-question', maxLength: 140, required: true, autocomplete: 'off' });
  #pollAnswers = h('textarea', { id: 'poll-answers', rows: 3, required: true });
  #pinText = h('input', { id: 'pin-text', maxLength: 140, required: true, autocomplete: 'off' });
  #pinAddress = h('input', { id: 'pin-address', type: 'url', maxLength: 300, placeholder: 'https://', autocomplete: 'off' });
  #newPoll = fold('Ask the audience', [['Question', this.#pollQuestion], ['Answers, one a line, two at least', this.#pollAnswers]], 'Open the poll', () => this.#openPoll());
  #newPin = fold('Pin something', [['Text', this.#pinText], ['Link, if there is one', this.#pinAddress]], 'Pin it', () => this.#pin());
  element = h('section', { className: 'card stack', hidden: true }, h('h2', {}, 'Questions'), this.#noQuestions, this.#questions, h('h2', {}, 'Poll'), this.#poll, this.#newPoll, h('h2', {}, 'Pinned'), this.#pins, this.#newPin);
  /** @type {Map<number | string, Row>} */ #questionRows = new Map();
  /** @type {Map<number | string, Row>} */ #pinRows = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** Whether this square has a board at all. */
  #known = true;

  /**
   * @param {import('./controls.js').Desk} desk
   * @param {() => { event: string, token: string }} with_
   */
  constructor(desk, with_) {
    this.#desk = desk;
    this.#with = with_;
  }

  /** @param {import('./controls.js').StageState} _state @param {{ rules: boolean }} may */
  show(_state, { rules }) {
    if (!rules || !this.#known) return this.#stop();
    if (this.#timer) return;
    this.#timer = setInterval(() => document.hidden || void this.#look(), LOOK_MILLIS);
    void this.#look();
  }

  clear() {
    this.#stop();
    for (const rows of [this.#questionRows, this.#pinRows]) rows.clear();
    for (const list of [this.#questions, this.#pins, this.#poll]) list.replaceChildren();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.element.hidden = true;
  }

  async #look() {
    const { code, answer } = await this.#ask('GET', '/board');
    this.#known = code !== 'not-found';
    if (!this.#timer || !answer) return;
    this.element.hidden = false;
    this.#show(answer);
  }

  /** @param {Hung} hung */
  #show({ questions, poll, pins }) {
    this.#noQuestions.hidden = questions.length > 0;
    keep(this.#questions, this.#questionRows, questions, (one) => one.id, (one) => this.#row('Answered', `Answered: ${one.text}`, () => this.#do('DELETE', `/questions/${one.id}`)), (row, one) => {
      put(row.text, [typed(one.text)]);
      put(row.note, [one.name ? typed(one.name) : 'somebody', `, ${one.votes === 1 ? '1 vote' : `${number(one.votes)} votes`}`]);
    });
    keep(this.#pins, this.#pinRows, pins, (one) => one.id, (one) => this.#row('Take down', `Take down: ${one.text}`, () => this.#do('DELETE', `/pins/${one.id}`)), (row, one) => {
      put(row.text, [typed(one.text)]);
      put(row.note, one.url);
    });
    this.#showPoll(poll);
  }

  /** @param {Poll | null} poll */
  #showPoll(poll) {
    this.#newPoll.hidden = poll?.open === true;
    const shown = JSON.stringify(poll);
    if (this.#poll.dataset.shown === shown) return;
    this.#poll.dataset.shown = shown;
    if (!poll) return this.#poll.replaceChildren(h('p', { className: 'meta' }, 'None yet.'));
    const votes = poll.answers.map((answer, i) => h('li', {}, typed(answer), h('span', { className: 'meta' }, number(poll.votes[i] ?? 0))));
    const close = button('Close the poll', 'button quiet small', () => void this.#do('POST', `/polls/${poll.id}/close`));
    const focused = this.#poll.contains(document.activeElement);
    this.#poll.replaceChildren(h('p', {}, typed(poll.question)), h('ul', { className: 'hands', ariaLabel: 'Votes' }, ...votes), poll.open ? close : h('p', { className: 'meta' }, 'Closed.'));
    if (focused && poll.open) close.focus();
  }

  async #openPoll() {
    const answers = this.#pollAnswers.value.split('\n').map((line) => line.trim()).filter(Boolean);
    return this.#do('POST', '/polls', { question: this.#pollQuestion.value, answers });
  }

  async #pin() {
    return this.#do('POST', '/pins', { text: this.#pinText.value, url: this.#pinAddress.value });
  }

  /**
   * @param {string} does
   * @param {string} label
   * @param {() => unknown} press
   * @returns {Row}
   */
  #row(does, label, press) {
    const [text, note] = [h('span', {}), h('span', { className: 'meta' })];
    const it = button(does, 'button quiet small', () => void press());
    it.ariaLabel = label;
    return { item: h('li', {}, h('div', {}, text, ' ', note), it), text, note };
  }

  /** @param {string} method @param {string} path @param {object} [body] @returns {Promise<boolean>} whether it is done */
  async #do(method, path, body) {
    const { fault } = await this.#ask(method, path, body);
    if (fault) this.#desk.say(fault);
    await this.#look();
    return !fault;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<{ fault: string, code: string, answer: any }>}
   */
  async #ask(method, path, body) {
    const { event, token } = this.#with();
    try {
      const answer = await fetch(`/api/townsquare/v1/events/${event}${path}`, {
        method,
        // The ticket says who asks, whoever is signed in here.
        credentials: 'omit',
        headers: { Accept: 'application/json', Authorization: `Bearer ${token}`, ...(body ? { 'Content-Type': 'application/json' } : {}) },
        body: body ? JSON.stringify(body) : undefined,
        signal: AbortSignal.timeout(LOOK_MILLIS),
      });
      const said = answer.status === 204 ? {} : await answer.json().catch(() => null);
      return answer.ok ? { fault: '', code: '', answer: said } : { fault: said?.detail ?? 'The square refused.', code: said?.code ?? '', answer: null };
    } catch {
      return { fault: 'The square does not answer. Try again.', code: 'role-down', answer: null };
    }
  }
}

/**
 * A form that is folded away until it is wanted, and again once it is done.
 * @param {string} title
 * @param {[string, HTMLInputElement | HTMLTextAreaElement][]} fields
 * @param {string} does
 * @param {() => Promise<boolean>} submit
 */
function fold(title, fields, does, submit) {
  const rows = fields.map(([label, input]) => h('div', { className: 'field' }, h('label', { htmlFor: input.id }, label), input));
  const form = h('form', { className: 'stack' }, ...rows, h('div', {}, h('button', { type: 'submit', className: 'button quiet' }, does)));
  const summary = h('summary', {}, title);
  const details = h('details', {}, summary, form);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void submit().then((done) => {
      if (!done) return;
      form.reset();
      details.open = false;
      summary.focus();
    });
  });
  return details;
}
