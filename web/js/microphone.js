/** The microphone: asked for once, changed at will, its level as people understand it; and in words why there is none. */

const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** Why there is no microphone, as something a person can act on. */
export class NoMicrophone extends Error {}

/**
 * @param {string} [device]
 * @returns {Promise<MediaStream>}
 * @throws {NoMicrophone}
 */
export async function openMicrophone(device) {
  if (!isSecureContext) {
    throw new NoMicrophone('Browsers give the microphone to encrypted pages only, and this page came without https. Ask who runs this square for its https address.');
  }
  if (!navigator.mediaDevices) throw new NoMicrophone('This browser has no access to microphones. Open this link in a current Firefox, Chrome, Edge or Safari.');
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: device ? { ...WANTED, deviceId: { exact: device } } : WANTED });
  } catch (error) {
    throw new NoMicrophone(inWords(error instanceof DOMException ? error.name : ''));
  }
}

/** @param {string} name */
function inWords(name) {
  switch (name) {
    case 'NotAllowedError':
      return 'The microphone was refused. Allow it for this page (the sign left of the address), then press again.';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'There is no microphone here. Plug one in, then press again.';
    case 'NotReadableError':
      return 'Another program holds the microphone. Close it there, then press again.';
    default:
      return 'The microphone did not start. Try again or try another browser.';
  }
}

/** @returns {Promise<{ id: string, name: string }[]>} */
export async function microphones() {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((one) => one.kind === 'audioinput').map((one, i) => ({ id: one.deviceId, name: one.label || `Microphone ${i + 1}` }));
}

/** How loud a stream is: 0 (silent) to 1 (full scale), over a span of 60 dB. */
export class Level {
  #context = new AudioContext();
  #analyser = this.#context.createAnalyser();
  #samples = new Float32Array(this.#analyser.fftSize);
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;

  /** @param {MediaStream} stream */
  of(stream) {
    this.#source?.disconnect();
    this.#source = this.#context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
    void this.#context.resume();
  }

  now() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return Math.min(1, Math.max(0, 1 + (10 * Math.log10(power + 1e-12)) / 60));
  }

  close() {
    void this.#context.close();
  }
}
