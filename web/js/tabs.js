/**
 * One sound among the tabs of a browser: the tab that was asked last has it; the stage has it while somebody is on it, and it comes back
 * when they leave. It comes with the first sound: before, there is none to give away.
 */
import { sound } from './sound.js';

const CHANNEL = 'townsquare-sound';
/** What a stage's page says there (console/yielding.js). */
const [ON_STAGE, OFF_STAGE] = ['on stage', 'off stage'];
const tab = Math.random().toString(36).slice(2);
/** @type {BroadcastChannel | null} */
let channel = null;
/** Whether it plays on once nobody here is on stage. */
let yields = false;

function listen() {
  channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : null;
  channel?.addEventListener('message', ({ data }) => {
    const { current } = sound;
    if (!current || current.state === 'idle' || current.state === 'ended') return;
    if (data === OFF_STAGE) return yields && sound.play(current);
    const resumes = data === ON_STAGE && (yields || current.state !== 'paused');
    sound.stop('elsewhere');
    yields = resumes;
  });
}

function asked() {
  yields = false;
  channel?.postMessage(tab);
}

listen();
asked();
sound.addEventListener('play', asked);
sound.addEventListener('stop', () => (yields = false));
// A page that is kept for the way back is not kept with an open channel.
addEventListener('pagehide', () => {
  channel?.close();
  channel = null;
});
addEventListener('pageshow', (event) => event.persisted && listen());
