/** What was heard, compared with what was spoken: decoding, envelopes, correlation, fragments without a gap. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Boxes } from '../js/boxes.js';
import { given, streamOf } from './browser.js';

const run = promisify(execFile);
const RATE = 16_000;
/** Sound that comes so much later than usual is late: a player near the edge has no more in store. */
const LATE_SECONDS = 0.5;
/** Fragments of the stream in a second. */
const FRAGMENTS = 5;
/** Envelope steps a second. */
const STEPS = 50;
/** Two seconds, and half a second: how alike is measured by pieces. */
const [PIECE, BESIDE] = [2 * STEPS, STEPS / 2];
const ROUNDS_MAX = 6;
/** Real voices pass noise suppression, gain control and Opus twice; the wrong voice stays below 0.65. */
export const SAME = 0.72;
export const OTHER = 0.68;

/**
 * Decodes any file to 16 kHz mono samples.
 * @param {string | Uint8Array} of a path or bytes
 * @returns {Promise<Float32Array>}
 */
export async function decode(of) {
  const place = await mkdtemp(join(tmpdir(), 'townsquare-hear-'));
  try {
    const input = typeof of === 'string' ? of : join(place, 'in');
    if (typeof of !== 'string') await writeFile(input, of);
    const output = join(place, 'out.f32');
    await run('ffmpeg', ['-v', 'error', '-y', '-i', input, '-ar', String(RATE), '-ac', '1', '-f', 'f32le', output]);
    const bytes = await readFile(output);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2).slice();
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/**
 * Loudness over time, in decibels above -60 dBFS, which is how alike two sayings are heard.
 * @param {Float32Array} samples
 */
export function envelope(samples) {
  const step = RATE / STEPS;
  return Float32Array.from({ length: Math.floor(samples.length / step) }, (_, i) => Math.max(0, 60 + decibels(samples.subarray(i * step, (i + 1) * step))));
}

/** @param {Float32Array} samples */
export function decibels(samples) {
  return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length) + 1e-12);
}

/**
 * How much of a sound is one tone: 0 nothing, 1 all of it (Goertzel).
 * @param {Float32Array} samples
 * @param {number} hz
 */
export function share(samples, hz) {
  let [real, imaginary, all] = [0, 0, 1e-12];
  samples.forEach((sample, i) => {
    const turn = (2 * Math.PI * hz * i) / RATE;
    real += sample * Math.cos(turn);
    imaginary += sample * Math.sin(turn);
    all += sample * sample;
  });
  return (2 * (real ** 2 + imaginary ** 2)) / (samples.length * all);
}

/**
 * How alike what was heard is to a spoken text that repeats without end: the best correlation over every shift, piece by piece, each of
 * which may lie a little beside the others. A speaker's browser on a busy machine drops a moment of its own microphone now and then.
 * @param {Float32Array} heard envelope
 * @param {Float32Array} spoken envelope of one round
 * @returns {number} 1: the same; between different texts about 0.55
 */
export function alike(heard, spoken) {
  const pieces = Array.from({ length: Math.floor(heard.length / PIECE) }, (_, i) => i * PIECE);
  const at = /** @param {number} i */ (i) => spoken[i % spoken.length];
  const shifted = pieces.map((from) => Float32Array.from(spoken, (_, shift) => correlation(heard.subarray(from, from + PIECE), (i) => at(from + i + shift))));
  let best = 0;
  for (let shift = 0; shift < spoken.length; shift += 1) {
    let sum = 0;
    for (const by of shifted) {
      let most = -1;
      for (let near = shift - BESIDE; near <= shift + BESIDE; near += 1) most = Math.max(most, by[(near + spoken.length) % spoken.length]);
      sum += most;
    }
    best = Math.max(best, sum / shifted.length);
  }
  return best;
}

/**
 * Listens until a voice is heard as it spoke, or for long in vain.
 * @param {() => Promise<Float32Array>} listen gives the newest sound
 * @param {Float32Array} spoken envelope
 */
export async function heardAs(listen, spoken) {
  for (let round = 1; ; round += 1) {
    const samples = await listen();
    const same = alike(envelope(samples), spoken);
    if (same > SAME || round === ROUNDS_MAX) return { samples, same };
  }
}

/**
 * @param {Float32Array} a
 * @param {(i: number) => number} b
 */
function correlation(a, b) {
  let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i += 1) {
    const [x, y] = [a[i], b(i)];
    sa += x;
    sb += y;
    saa += x * x;
    sbb += y * y;
    sab += x * y;
  }
  const n = a.length;
  return (n * sab - sa * sb) / Math.sqrt((n * saa - sa * sa) * (n * sbb - sb * sb) + 1e-9);
}

/**
 * The fragments in a stream's bytes, and how many numbers are missing between the first and the last.
 * @param {Uint8Array} bytes
 */
export function fragments(bytes) {
  const pieces = new Boxes().push(bytes).filter((piece) => piece.kind === 'fragment');
  const missing = pieces.slice(1).reduce((sum, piece, i) => sum + piece.number - pieces[i].number - pieces[i].slots, 0);
  return { pieces, missing };
}

/**
 * The newest seconds of what a page that keeps its stream is given from now on, of which no fragment is missing.
 * @param {import('playwright-core').Page} page
 * @param {number} seconds
 */
export async function newest(page, seconds) {
  await given(page, (seconds + 2) * FRAGMENTS);
  const bytes = await streamOf(page);
  const { missing } = fragments(bytes);
  if (missing) throw new Error(`${missing} fragments are missing`);
  return (await decode(bytes)).slice(-RATE * seconds);
}

/**
 * Listens to a stream from here, to know what the server itself was late with while a page listened.
 * @param {string} stream
 */
export function punctual(stream) {
  const life = new AbortController();
  const boxes = new Boxes();
  let [first, pauses, wasLate] = [Infinity, 0, false];
  const listening = (async () => {
    const answer = await fetch(`${stream}?from=-1`, { signal: life.signal });
    for await (const bytes of /** @type {AsyncIterable<Uint8Array>} */ (/** @type {unknown} */ (answer.body))) {
      for (const piece of boxes.push(bytes)) {
        if (piece.kind !== 'fragment') continue;
        // When it came beside when it was spoken; the least of it is what a quiet moment takes.
        const delay = performance.now() / 1000 - piece.time;
        first = Math.min(first, delay);
        const late = delay - first > LATE_SECONDS;
        if (late && !wasLate) pauses += 1;
        wasLate = late;
      }
    }
  })().catch(() => {});
  /** How often it was late. */
  return async () => {
    life.abort();
    await listening;
    return pauses;
  };
}
