/**
 * Who is on stage does not listen beside it: other tabs fall silent when somebody goes on stage here, whoever presses Listen there
 * meanwhile is told again, and what played goes on when they leave. `sound` is at the other end of the channel.
 */

const CHANNEL = 'townsquare-sound';
/** As `sound` knows them. */
const [ON_STAGE, OFF_STAGE] = ['on stage', 'off stage'];

export class Yielding {
  /** @type {BroadcastChannel | null} */ #channel = null;

  /** From now on the sound is here. */
  take() {
    if (!('BroadcastChannel' in globalThis)) return;
    this.#channel ??= new BroadcastChannel(CHANNEL);
    this.#channel.onmessage = ({ data }) => data !== ON_STAGE && data !== OFF_STAGE && this.#channel?.postMessage(ON_STAGE);
    this.#channel.postMessage(ON_STAGE);
  }

  /** It is not any more. */
  give() {
    this.#channel?.postMessage(OFF_STAGE);
    this.#channel?.close();
    this.#channel = null;
  }
}
