/** The reader of the endless stream against boxes built by hand, in every way the network may cut them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Boxes } from '../js/boxes.js';

/** @param {string} name @param {...(Buffer | number[] | string)} parts */
const box = (name, ...parts) => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(name, 4);
  return Buffer.concat([head, body]);
};
/** @param {number} value */
const u32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** @param {number} value */
const u64 = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
/** @param {number} number @param {number} frames */
const fragment = (number, frames = 10) =>
  Buffer.concat([
    box(
      'moof',
      box('mfhd', u32(0), u32(number + 1)),
      box('traf', box('tfhd', u32(0x020010), u32(1), u32(160)), box('tfdt', u32(0x01000000), u64(number * 9600)), box('trun', u32(1), u32(frames), u32(100))),
    ),
    box('mdat', Buffer.alloc(frames * 160)),
  ]);
/** @param {string} scheme @param {number} time @param {object} facts */
const emsg = (scheme, time, facts) => box('emsg', u32(0x01000000), u32(48000), u64(time), u32(0), u32(0), `${scheme}\0\0`, JSON.stringify(facts));

const init = Buffer.concat([box('ftyp', 'iso6'), box('moov', Buffer.alloc(40))]);
const stream = Buffer.concat([init, emsg('urn:townsquare:facts', 9600 * 7, { n: 12, s: [[1, 'Zoë', 0]] }), emsg('urn:other', 0, { n: 99 }), fragment(7), fragment(8), fragment(10, 50)]);

for (const cut of [1, 7, 64, 333, stream.length]) {
  test(`pieces are the same however the network cuts them: ${cut} bytes at a time`, () => {
    const boxes = new Boxes();
    const pieces = [];
    for (let at = 0; at < stream.length; at += cut) pieces.push(...boxes.push(stream.subarray(at, at + cut)));
    assert.deepEqual(pieces.map((piece) => (piece.kind === 'init' ? 'init' : [piece.number, piece.slots, piece.time])), ['init', [7, 1, 1.4], [8, 1, 1.6], [10, 5, 2]]);
    const [first, second] = pieces;
    assert.deepEqual(Buffer.from(first.bytes), init);
    assert.ok(second.kind === 'fragment');
    assert.deepEqual(second.said, [{ time: 1.4, facts: { n: 12, s: [[1, 'Zoë', 0]] } }]);
    assert.deepEqual(Buffer.from(second.bytes), fragment(7));
  });
}

test('what is no box is said at once', () => {
  assert.throws(() => new Boxes().push(Buffer.from('<!doctype html><title>Not here</title>')), RangeError);
});
