/** Is the sound right? The microphone and its level, five seconds played back as listeners will hear them, and the connection in words. */
import { h, put } from '../words.js';
import { button } from './controls.js';

/** @typedef {import('../stage-link.js').Connection} Connection */
/** @typedef {import('../stage-link.js').Ports} Ports */

const SECONDS = 5;
/** A microphone below this for so long is said to be silent. */
const QUIET = { level: 0.2, millis: 4000 };
const WELL = 0.35;
const LOUD = 0.97;

export class Check {
  choice = h('select', { id: 'stage-microphone' });
  #hint = h('p', { className: 'meta', role: 'status' });
  #record = button('Record five seconds', 'button quiet', () => void this.#listen());
  #said = h('p', { className: 'meta', role: 'status' });
  #sound = h('audio', { controls: true, hidden: true, ariaLabel: 'You, as listeners will hear you' });
  #line = h('p', { role: 'status' });
  #figures = h('p', { className: 'meta' });
  #recording = h('div', { className: 'stack', hidden: true }, h('div', { className: 'cluster' }, this.#record, this.#said), this.#sound);
  element = h(
    'section',
    { className: 'stack' },
    h('div', { className: 'field' }, h('label', { htmlFor: 'stage-microphone' }, 'Microphone'), this.choice),
    this.#hint,
    this.#recording,
    this.#line,
    this.#figures,
  );
  #heardAt = 0;
  #url = '';
  #connection = '';

  /** @param {() => Promise<import('../stage-link.js').Done>} record */
  constructor(record) {
    this.record = record;
  }

  begin() {
    this.#heardAt = Date.now();
    put(this.#hint, '');
  }

  clear() {
    this.#sound.pause();
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = '';
    this.#sound.hidden = true;
    this.#connection = '';
    for (const part of [this.#said, this.#line, this.#figures]) put(part, '');
  }

  /** @param {number} level 0 to 1 */
  level(level) {
    const now = Date.now();
    if (level > QUIET.level) this.#heardAt = now;
    if (level > LOUD) put(this.#hint, 'Too loud: move away a little.');
    else if (now - this.#heardAt > QUIET.millis) put(this.#hint, 'Nothing is heard. Say something, or choose another microphone.');
    else if (level > WELL) put(this.#hint, 'This is heard well.');
    else if (!this.#hint.textContent) put(this.#hint, 'Say a few words.');
  }

  /**
   * @param {Connection | null | undefined} connection as the stage measured it
   * @param {boolean} here whether the microphone is connected
   */
  show(connection, here) {
    this.#recording.hidden = connection === undefined;
    this.#record.disabled ||= !here;
    if (here && !this.#said.dataset.busy) this.#record.disabled = false;
    if (!connection) return;
    const { verdict, words, rtt_ms, loss_percent, jitter_ms, by } = connection;
    // Read out when the verdict changes, not with every figure in its words.
    if (this.#connection !== `${verdict} ${by}`) put(this.#line, verdict === 'good' ? words : `Your connection is ${verdict}. ${words}`);
    this.#connection = `${verdict} ${by}`;
    this.#line.className = { good: '', fair: 'notice', bad: 'notice warn' }[verdict];
    const way = rtt_ms === null ? '' : `${Math.round(rtt_ms)} ms there and back, `;
    put(this.#figures, `${way}${loss_percent.toFixed(1)} % lost, ${Math.round(jitter_ms)} ms uneven, over ${by.toUpperCase()}.`);
  }

  async #listen() {
    this.#sound.pause();
    this.#record.disabled = true;
    this.#said.dataset.busy = '1';
    put(this.#said, 'Recording. Speak as you will on stage.');
    const done = await this.record();
    delete this.#said.dataset.busy;
    this.#record.disabled = false;
    if (done.fault) return put(this.#said, done.fault);
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = URL.createObjectURL(done.answer);
    this.#sound.src = this.#url;
    this.#sound.hidden = false;
    put(this.#record, 'Record again');
    put(this.#said, `This is how listeners will hear you: ${SECONDS} seconds.`);
    await this.#sound.play().catch(() => {});
  }
}

/**
 * Why no sound gets to the stage at all.
 * @param {Ports} ports
 */
export function blockedWords({ udp, tcp }) {
  const ways = [...(udp.length ? [`UDP ${udp.join(' and ')}`] : []), ...(tcp.length ? [`TCP ${tcp.join(' and ')}`] : [])];
  if (!ways.length) return 'The stage named no address for your sound. Tell who runs this square.';
  return `Your microphone’s sound does not get through to the stage. Something between you and it blocks ${ways.join(' and ')}. Try another network, or ask whoever runs yours to open ${ways.length > 1 ? 'one of them' : 'it'}.`;
}
