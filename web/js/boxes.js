/**
 * Where fragments begin in the endless stream (ISO 14496-12), which number each has and which live facts ride with it.
 * Bytes in, pieces out; knows no network and no page.
 *
 * @typedef {{ time: number, facts: LiveFacts }} Said  `time` in seconds on the programme's own timeline
 * @typedef {{ s?: [number, string, number][], v?: [number, number][], n?: number, r?: number }} LiveFacts  docs/formats.md, "Live facts"
 * @typedef {{ kind: 'init', bytes: Uint8Array<ArrayBuffer> }} Init
 * @typedef {{ kind: 'fragment', number: number, slots: number, time: number, bytes: Uint8Array<ArrayBuffer>, said: Said[] }} Fragment
 */

const SCHEME = 'urn:townsquare:facts';
/** Samples a second, and samples in one 200 ms slot: the programme's numbering. */
const SAMPLES_PER_SECOND = 48000;
const SAMPLES_PER_SLOT = 9600;
/** Far above any fragment; a larger size means that this is no programme. */
const BOX_BYTES_MAX = 1 << 20;

export class Boxes {
  #rest = new Uint8Array(0);
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #held = [];
  /** @type {Said[]} */
  #said = [];
  #inInit = true;
  /** @type {{ number: number, slots: number, time: number } | null} */
  #head = null;

  /**
   * Takes the next bytes and gives every piece that is now whole.
   * @param {Uint8Array} chunk
   * @returns {(Init | Fragment)[]}
   * @throws {RangeError} when the bytes are not boxes
   */
  push(chunk) {
    let bytes = this.#rest.length ? join([this.#rest, chunk]) : new Uint8Array(chunk);
    /** @type {(Init | Fragment)[]} */
    const out = [];
    while (bytes.length >= 8) {
      const view = viewOf(bytes);
      const size = view.getUint32(0);
      if (size < 8 || size > BOX_BYTES_MAX) throw new RangeError(`no box: size ${size}`);
      if (bytes.length < size) break;
      const piece = this.#box(nameAt(view, 4), bytes.slice(0, size));
      if (piece) out.push(piece);
      bytes = bytes.slice(size);
    }
    this.#rest = bytes;
    return out;
  }

  /**
   * @param {string} name
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @returns {Init | Fragment | null}
   */
  #box(name, bytes) {
    switch (name) {
      case 'ftyp':
        this.#inInit = true;
        this.#held = [bytes];
        return null;
      case 'moov': {
        const init = join([...this.#held, bytes]);
        this.#held = [];
        this.#inInit = false;
        return { kind: 'init', bytes: init };
      }
      case 'emsg': {
        const said = readSaid(bytes);
        if (said) this.#said.push(said);
        return null;
      }
      case 'moof':
        this.#head = readHead(bytes);
        this.#held = [bytes];
        return null;
      case 'mdat': {
        if (this.#inInit || !this.#head) return null;
        const fragment = { kind: /** @type {const} */ ('fragment'), ...this.#head, bytes: join([...this.#held, bytes]), said: this.#said };
        this.#head = null;
        this.#held = [];
        this.#said = [];
        return fragment;
      }
      default:
        return null;
    }
  }
}

/**
 * @param {Uint8Array[]} parts
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} moof */
function readHead(moof) {
  const view = viewOf(moof);
  const mfhd = find(view, 8, moof.length, 'mfhd');
  const traf = find(view, 8, moof.length, 'traf');
  const inTraf = /** @param {string} name */ (name) => (traf ? find(view, traf.body, traf.end, name) : null);
  const tfhd = inTraf('tfhd');
  const tfdt = inTraf('tfdt');
  const trun = inTraf('trun');
  if (!mfhd || !tfhd || !tfdt || !trun) throw new RangeError('a fragment without its tables');
  const samples = view.getUint32(trun.body + 4) * sampleDuration(view, tfhd.body);
  const long = view.getUint8(tfdt.body) === 1;
  const start = long ? Number(view.getBigUint64(tfdt.body + 4)) : view.getUint32(tfdt.body + 4);
  return {
    number: view.getUint32(mfhd.body + 4) - 1,
    slots: Math.max(1, Math.round(samples / SAMPLES_PER_SLOT)),
    time: start / SAMPLES_PER_SECOND,
  };
}

/**
 * The sample duration in `tfhd` when it says one, else that of a 20 ms frame.
 * @param {DataView} view
 * @param {number} tfhd
 */
function sampleDuration(view, tfhd) {
  const flags = view.getUint32(tfhd) & 0xffffff;
  const before = 8 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0);
  return flags & 8 ? view.getUint32(tfhd + before) : 960;
}

/**
 * @param {Uint8Array} emsg
 * @returns {Said | null} null when it is not ours
 */
function readSaid(emsg) {
  const view = viewOf(emsg);
  if (emsg.length < 32 || view.getUint8(8) !== 1) return null;
  const [scheme, afterScheme] = text(emsg, 32);
  const [, data] = text(emsg, afterScheme);
  if (scheme !== SCHEME) return null;
  try {
    const facts = JSON.parse(new TextDecoder().decode(emsg.subarray(data)));
    return { time: Number(view.getBigUint64(16)) / (view.getUint32(12) || 1), facts };
  } catch {
    return null;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {number} from
 * @returns {[string, number]} the text and the place after its zero
 */
function text(bytes, from) {
  const zero = bytes.indexOf(0, from);
  const end = zero < 0 ? bytes.length : zero;
  return [new TextDecoder().decode(bytes.subarray(from, end)), end + 1];
}

/**
 * @param {DataView} view
 * @param {number} from
 * @param {number} to
 * @param {string} name
 */
function find(view, from, to, name) {
  for (let at = from; at + 8 <= to; ) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > to) return null;
    if (nameAt(view, at + 4) === name) return { body: at + 8, end: at + size };
    at += size;
  }
  return null;
}

/** @param {Uint8Array} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * @param {DataView} view
 * @param {number} at
 */
const nameAt = (view, at) => String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
