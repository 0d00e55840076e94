/**
 * Where fragments begin in the endless stream (ISO 14496-12), which number each has and which live facts ride with it.
 * Bytes in, pieces out; knows no network and no page.
 *
 * @typedef {{ time: number, facts: LiveFacts }} Said  `time` in seconds on the programme's own timeline
 * @typedef {{ s?: [number, string, number][], v?: [number, number][], n?: number, r?: number, c?: number, b?: number, x?: [number, number][], d?: number, k?: Clock | null, p?: [number, string, string][], o?: Poll | null, q?: [number, string, number][], t?: [string, number][] }} LiveFacts  docs/formats.md, "Live facts"
 * @typedef {{ w: number | null, l: [string, number, number][] }} Clock
 * @typedef {{ id: number, q: string, a: string[], n: number[], open: number }} Poll
 * @typedef {{ kind: 'init', bytes: Uint8Array<ArrayBuffer> }} Init
 * @typedef {{ kind: 'fragment', number: number, slots: number, time: number, bytes: Uint8Array<ArrayBuffer>, said: Said[] }} Fragment
 */

/** How the live facts' boxes begin behind their numbers: scheme and empty value. */
const SCHEME = 'urn:townsquare:facts\0\0';
const SAMPLES_PER_SECOND = 48000;
/** Frames of 20 ms in one slot of 200 ms: the programme's numbering. */
const FRAMES_PER_SLOT = 10;
/** Far above any fragment; a larger size means that this is no programme. */
const BOX_BYTES_MAX = 1 << 20;

export class Boxes {
  /** How long the stream waits from one sending to the next, as it said last, in seconds. */
  cadence = 0.2;
  #rest = new Uint8Array(0);
  /** `ftyp` or `moof`, until what belongs to it is there. */
  #begun = this.#rest;
  /** @type {Said[]} */
  #said = [];

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
      const size = viewOf(bytes).getUint32(0);
      if (size < 8 || size > BOX_BYTES_MAX) throw new RangeError(`no box: size ${size}`);
      if (bytes.length < size) break;
      const piece = this.#box(nameAt(bytes, 0), bytes.slice(0, size));
      if (piece) out.push(piece);
      bytes = bytes.subarray(size);
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
      case 'moof':
        this.#begun = bytes;
        return null;
      case 'moov':
        return { kind: 'init', bytes: join([this.#begun, bytes]) };
      case 'mdat':
        return { kind: 'fragment', ...readHead(this.#begun), bytes: join([this.#begun, bytes]), said: this.#said.splice(0) };
      case 'emsg': {
        const said = readSaid(bytes);
        // The cadence is the connection's and no moment's in the sound: true at once, and without a fragment behind it.
        if (said?.facts.c) this.cadence = said.facts.c / 1000;
        else if (said) this.#said.push(said);
      }
    }
    return null;
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
  const tables = moof.subarray(8);
  const traf = inside(tables, 'traf');
  return {
    number: viewOf(inside(tables, 'mfhd')).getUint32(4) - 1,
    slots: Math.max(1, Math.round(viewOf(inside(traf, 'trun')).getUint32(4) / FRAMES_PER_SLOT)),
    time: Number(viewOf(inside(traf, 'tfdt')).getBigUint64(4)) / SAMPLES_PER_SECOND,
  };
}

/**
 * @param {Uint8Array} emsg
 * @returns {Said | null} null when it is not ours
 */
function readSaid(emsg) {
  try {
    const view = viewOf(emsg);
    const text = new TextDecoder().decode(emsg.subarray(32));
    if (view.getUint8(8) !== 1 || !text.startsWith(SCHEME)) return null;
    return { time: Number(view.getBigUint64(16)) / (view.getUint32(12) || 1), facts: JSON.parse(text.slice(SCHEME.length)) };
  } catch {
    return null;
  }
}

/**
 * The content of the box of that name.
 * @param {Uint8Array} boxes
 * @param {string} name
 */
function inside(boxes, name) {
  for (let at = 0; at + 8 <= boxes.length; ) {
    const size = viewOf(boxes).getUint32(at);
    if (nameAt(boxes, at) === name) return boxes.subarray(at + 8, at + size);
    at += Math.max(8, size);
  }
  throw new RangeError(`no ${name} in a fragment`);
}

/** @param {Uint8Array} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
const nameAt = (bytes, at) => String.fromCharCode(...bytes.subarray(at + 4, at + 8));
