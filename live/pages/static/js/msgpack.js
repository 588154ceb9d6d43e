/**
 * MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) without extensions: what the
 * room's frames are made of. Decoding trusts nothing: lengths are checked against what is left,
 * depth is bounded, maps have no prototype, and anything unknown is an error.
 */

const DEPTH_MAX = 16;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Bytes that are not a MessagePack value. */
export class MessagePackError extends Error {}

/**
 * @param {ArrayBuffer|Uint8Array} data exactly one value
 * @returns {any}
 * @throws {MessagePackError}
 */
export function decode(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) throw new MessagePackError("bytes after the value");
  return value;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** Step over `length` bytes and give where they began. */
  take(length) {
    const start = this.at;
    if (length > this.bytes.length - start) throw new MessagePackError("cut short");
    this.at = start + length;
    return start;
  }

  unsigned(size) {
    const at = this.take(size);
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at);
    if (size === 4) return this.view.getUint32(at);
    return safe(this.view.getBigUint64(at));
  }

  signed(size) {
    const at = this.take(size);
    if (size === 1) return this.view.getInt8(at);
    if (size === 2) return this.view.getInt16(at);
    if (size === 4) return this.view.getInt32(at);
    return safe(this.view.getBigInt64(at));
  }

  text(length) {
    const at = this.take(length);
    try {
      return utf8.decode(this.bytes.subarray(at, at + length));
    } catch {
      throw new MessagePackError("text that is not UTF-8");
    }
  }

  binary(length) {
    const at = this.take(length);
    return this.bytes.slice(at, at + length);
  }

  array(length, depth) {
    if (length > this.bytes.length - this.at) throw new MessagePackError("cut short");
    return Array.from({ length }, () => this.value(depth + 1));
  }

  map(length, depth) {
    if (length * 2 > this.bytes.length - this.at) throw new MessagePackError("cut short");
    const map = Object.create(null);
    for (let i = 0; i < length; i += 1) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw new MessagePackError("a key that is no text");
      map[key] = this.value(depth + 1);
    }
    return map;
  }

  value(depth) {
    if (depth > DEPTH_MAX) throw new MessagePackError("too deep");
    const head = this.unsigned(1);
    if (head < 0x80) return head;
    if (head < 0x90) return this.map(head & 0x0f, depth);
    if (head < 0xa0) return this.array(head & 0x0f, depth);
    if (head < 0xc0) return this.text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    const read = HEADS[head];
    if (!read) throw new MessagePackError(`no value begins with ${head}`);
    return read(this, depth);
  }
}

/** What follows each head byte from 0xc0 on. */
const HEADS = {
  0xc0: () => null, 0xc2: () => false, 0xc3: () => true,
  0xc4: (r) => r.binary(r.unsigned(1)), 0xc5: (r) => r.binary(r.unsigned(2)), 0xc6: (r) => r.binary(r.unsigned(4)),
  0xca: (r) => r.view.getFloat32(r.take(4)), 0xcb: (r) => r.view.getFloat64(r.take(8)),
  0xcc: (r) => r.unsigned(1), 0xcd: (r) => r.unsigned(2), 0xce: (r) => r.unsigned(4), 0xcf: (r) => r.unsigned(8),
  0xd0: (r) => r.signed(1), 0xd1: (r) => r.signed(2), 0xd2: (r) => r.signed(4), 0xd3: (r) => r.signed(8),
  0xd9: (r) => r.text(r.unsigned(1)), 0xda: (r) => r.text(r.unsigned(2)), 0xdb: (r) => r.text(r.unsigned(4)),
  0xdc: (r, d) => r.array(r.unsigned(2), d), 0xdd: (r, d) => r.array(r.unsigned(4), d),
  0xde: (r, d) => r.map(r.unsigned(2), d), 0xdf: (r, d) => r.map(r.unsigned(4), d),
};

function safe(big) {
  const number = Number(big);
  if (!Number.isSafeInteger(number)) throw new MessagePackError("an integer beyond 2^53");
  return number;
}

/**
 * @param {any} value null, booleans, numbers, texts, arrays and plain objects of them
 * @returns {Uint8Array}
 */
export function encode(value) {
  const out = [];
  write(out, value);
  return Uint8Array.from(out);
}

function write(out, value) {
  if (value === null || value === undefined) out.push(0xc0);
  else if (typeof value === "boolean") out.push(value ? 0xc3 : 0xc2);
  else if (typeof value === "number") writeNumber(out, value);
  else if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    writeLength(out, bytes.length, 0xa0, 32, 0xda);
    for (const byte of bytes) out.push(byte);
  } else if (Array.isArray(value)) {
    writeLength(out, value.length, 0x90, 16, 0xdc);
    for (const item of value) write(out, item);
  } else {
    const entries = Object.entries(value);
    writeLength(out, entries.length, 0x80, 16, 0xde);
    for (const [key, item] of entries) {
      write(out, key);
      write(out, item);
    }
  }
}

/** A length in the head itself when it is short, else in two or four bytes behind it. */
function writeLength(out, length, head, short, wide) {
  if (length < short) out.push(head | length);
  else if (length < 0x10000) out.push(wide, length >> 8, length & 0xff);
  else out.push(wide + 1, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);
}

function writeNumber(out, number) {
  if (Number.isInteger(number) && number >= 0 && number < 0x80) out.push(number);
  else if (Number.isInteger(number) && number >= -32 && number < 0) out.push(number + 0x100);
  else {
    const view = new DataView(new ArrayBuffer(9));
    if (Number.isSafeInteger(number)) {
      view.setUint8(0, 0xd3);
      view.setBigInt64(1, BigInt(number));
    } else {
      view.setUint8(0, 0xcb);
      view.setFloat64(1, number);
    }
    for (let i = 0; i < 9; i += 1) out.push(view.getUint8(i));
  }
}
