/** `<town-rehearsal>`: how far a rehearsal is, while it is on; asks for the page again when it is over. */
import { number, put } from './words.js';

const ASK_MILLIS = 1000;

class TownRehearsal extends HTMLElement {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #asking;

  connectedCallback() {
    this.#ask();
  }

  disconnectedCallback() {
    clearTimeout(this.#asking);
  }

  #ask() {
    this.#asking = setTimeout(() => void this.#asked().finally(() => this.isConnected && this.#ask()), ASK_MILLIS);
  }

  async #asked() {
    const ask = async () => {
      const answer = await fetch(this.getAttribute('src') ?? '', { cache: 'no-store' });
      return answer.ok ? answer.json() : null;
    };
    // A square that is being replaced is back in a moment.
    const standing = await ask().catch(() => null);
    if (!standing || !this.isConnected) return;
    const { running } = standing;
    if (!running) {
      document.dispatchEvent(new Event('townsquare:refresh'));
      return;
    }
    const [heading, progress, words] = /** @type {[Element, HTMLProgressElement, Element]} */ (/** @type {unknown} */ ([...this.children]));
    put(heading, `${number(running.hearing)} of ${number(running.listeners)} hear the test sound`);
    progress.value = running.hearing;
    put(words, `${running.words} ${number(running.faults)} gaps, stalls and lost connections so far.`);
  }
}

customElements.define('town-rehearsal', TownRehearsal);
