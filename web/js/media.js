/** The lock screen and the media keys: what plays, who speaks, play, pause, stop, back. It comes with the first sound. */
import { sound } from './sound.js';

const session = navigator.mediaSession;

function show() {
  const source = sound.current;
  session.metadata = source ? new MediaMetadata({ title: source.title, artist: source.who, album: 'Townsquare' }) : null;
  session.playbackState = source?.state === 'playing' ? 'playing' : source ? 'paused' : 'none';
}

if (session) {
  session.setActionHandler('play', () => sound.current && sound.play(sound.current));
  session.setActionHandler('pause', () => (sound.current?.pause ? sound.current.pause() : sound.stop()));
  session.setActionHandler('stop', () => sound.stop());
  sound.addEventListener('change', show);
  show();
}
