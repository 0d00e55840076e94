/** An event's recording made longer than any test has time for: fragments that were recorded, again and again (docs/formats.md). */
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SAMPLES_PER_FRAGMENT = 9600;
const RECORD_BYTES = 32;
const [FRAGMENT, END] = [1, 2];
/** Fragments written at once. */
const BATCH = 1000;

/**
 * Fragments of an event as they stand in its recording, without live facts.
 * @param {string} event its directory
 */
export async function recorded(event) {
  const [media, index] = await Promise.all([readFile(join(event, '64.mp4')), readFile(join(event, '64.idx'))]);
  const fragments = [];
  for (let at = 0; at + RECORD_BYTES <= index.length; at += RECORD_BYTES) {
    if (index.readUInt32LE(at + 24) !== FRAGMENT) continue;
    const [offset, length] = [Number(index.readBigUInt64LE(at + 8)), index.readUInt32LE(at + 16)];
    fragments.push(withoutFacts(media.subarray(offset, offset + length)));
  }
  return fragments;
}

/**
 * Takes the place of an ended event's recording with so many fragments, the n-th of them as `nth` says.
 * @param {string} event its directory
 * @param {number} count
 * @param {(n: number) => Buffer} nth
 */
export async function record(event, count, nth) {
  const media = await open(join(event, '64.mp4'), 'r+');
  const records = Buffer.alloc((count + 1) * RECORD_BYTES);
  const first = await readFile(join(event, '64.idx'));
  let offset = Number(first.readBigUInt64LE(8));
  const epoch = first.readUInt32LE(20);
  await media.truncate(offset);
  for (let from = 0; from < count; from += BATCH) {
    const start = offset;
    const batch = [];
    for (let n = from; n < Math.min(count, from + BATCH); n += 1) {
      const fragment = placed(nth(n), n);
      writeRecord(records, { number: n, offset, length: fragment.length, epoch, kind: FRAGMENT }, n);
      offset += fragment.length;
      batch.push(fragment);
    }
    await media.write(Buffer.concat(batch), 0, offset - start, start);
  }
  await media.close();
  writeRecord(records, { number: count, offset, length: 0, epoch, kind: END }, count);
  await writeFile(join(event, '64.idx'), records);
  const journal = join(event, 'journal');
  await writeFile(journal, endedAt(await readFile(journal), count));
}

/** @param {Buffer} fragment `[emsg…] moof mdat` */
function withoutFacts(fragment) {
  let at = 0;
  while (fragment.toString('latin1', at + 4, at + 8) === 'emsg') at += fragment.readUInt32BE(at);
  return Buffer.from(fragment.subarray(at));
}

/**
 * A copy of a fragment that stands at another number.
 * @param {Buffer} fragment
 * @param {number} number
 */
function placed(fragment, number) {
  const copy = Buffer.from(fragment);
  const body = /** @param {string} box */ (box) => copy.indexOf(box, 0, 'latin1') + 4;
  copy.writeUInt32BE(number + 1, body('mfhd') + 4);
  copy.writeBigUInt64BE(BigInt(number * SAMPLES_PER_FRAGMENT), body('tfdt') + 4);
  return copy;
}

/**
 * @param {Buffer} into
 * @param {{ number: number, offset: number, length: number, epoch: number, kind: number }} record
 * @param {number} nth
 */
function writeRecord(into, { number, offset, length, epoch, kind }, nth) {
  const record = into.subarray(nth * RECORD_BYTES, (nth + 1) * RECORD_BYTES);
  record.writeBigUInt64LE(BigInt(number), 0);
  record.writeBigUInt64LE(BigInt(offset), 8);
  record.writeUInt32LE(length, 16);
  record.writeUInt32LE(epoch, 20);
  record.writeUInt32LE(kind, 24);
  record.writeUInt32LE(crc32(record.subarray(0, 28)), 28);
}

/**
 * The journal with another end.
 * @param {Buffer} journal
 * @param {number} end the number after the last fragment
 */
function endedAt(journal, end) {
  const out = [];
  for (let at = 0; at < journal.length; ) {
    const next = at + 8 + journal.readUInt32LE(at);
    const entry = JSON.parse(journal.toString('utf8', at + 8, next));
    if (entry.ended) entry.ended.end = end;
    const payload = Buffer.from(JSON.stringify(entry));
    const head = Buffer.alloc(8);
    head.writeUInt32LE(payload.length, 0);
    head.writeUInt32LE(crc32(payload), 4);
    out.push(head, payload);
    at = next;
  }
  return Buffer.concat(out);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 (IEEE). @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 255];
  return ~crc >>> 0;
}
