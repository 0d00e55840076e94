/** What was heard, compared with what was spoken: decoding, envelopes, correlation, fragments without a gap. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Boxes } from '../js/boxes.js';

const run = promisify(execFile);
const RATE = 16_000;
/** Sound that comes so much later than usual is late: a player near the edge has no more in store. */
const LATE_SECONDS = 0.5;
/** Envelope steps a second. */
const STEPS = 50;

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
 * The best correlation of what was heard with a spoken text that repeats without end, over every shift.
 * @param {Float32Array} heard envelope
 * @param {Float32Array} spoken envelope of one round
 * @returns {number} 1: the same; 0: nothing in common
 */
export function alike(heard, spoken) {
  let best = 0;
  for (let shift = 0; shift < spoken.length; shift += 1) {
    best = Math.max(best, correlation(heard, (i) => spoken[(i + shift) % spoken.length]));
  }
  return best;
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
