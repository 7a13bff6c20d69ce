import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { PeerFault } from "./peer-fault.ts";
import {
  type Leaf,
  MAX_LEAVES,
  MAX_PREFIX_DIGITS,
  MAX_PREFIXES,
  MAX_RANGE_LEAVES,
  type Prefix,
  type RangeNode,
  type WantedLeaves,
} from "./range-types.ts";
import { SHORT_BYTES } from "./short-digest.ts";

/*
 * prefix  = number of digits (1 byte) || digits, two a byte
 * nodes   = for each prefix: 0 | 1 || which children there are (2 bytes) || their shorts | 2 || count (2) || shorts | 3
 * leaves  = for each: length of key (1) || key || digest (32)
 * digests = for each key: 0 | 1 || digest (32)
 */

const NONE = 0;
const INNER = 1;
const LEAVES = 2;
const UNREADY = 3;
const CHILDREN = 16;
export const DIGEST_BYTES = 32;
/** Keys are digests, or CIDs, which are a little longer. */
const MAX_KEY_BYTES = 64;

export function encodePrefixes(prefixes: readonly Prefix[]): Buffer {
  const writer = new ByteWriter();
  for (const prefix of prefixes) writePrefix(writer, prefix);
  return writer.finish();
}

/** @throws PeerFault */
export function decodePrefixes(bytes: Uint8Array): Prefix[] {
  const reader = new ByteReader(bytes);
  const prefixes: Prefix[] = [];
  while (!reader.isAtEnd) {
    prefixes.push(readPrefix(reader));
    assertCount(prefixes.length, MAX_PREFIXES);
  }
  return prefixes;
}

export function encodeNodes(nodes: readonly RangeNode[]): Buffer {
  const writer = new ByteWriter();
  for (const node of nodes) writeNode(writer, node);
  return writer.finish();
}

/** @throws PeerFault */
export function decodeNodes(bytes: Uint8Array, count: number): RangeNode[] {
  const reader = new ByteReader(bytes);
  const nodes = Array.from({ length: count }, () => readNode(reader));
  reader.end();
  return nodes;
}

export function encodeWanted(wanted: readonly WantedLeaves[]): Buffer {
  const writer = new ByteWriter();
  for (const { prefix, shorts } of wanted) {
    writePrefix(writer, prefix);
    writeShorts(writer, shorts);
  }
  return writer.finish();
}

/** @throws PeerFault */
export function decodeWanted(bytes: Uint8Array): WantedLeaves[] {
  const reader = new ByteReader(bytes);
  const wanted: WantedLeaves[] = [];
  for (let leaves = 0; !reader.isAtEnd; ) {
    const one = { prefix: readPrefix(reader), shorts: readShorts(reader) };
    leaves += one.shorts.length;
    wanted.push(one);
    assertCount(Math.max(leaves, wanted.length), MAX_LEAVES);
  }
  return wanted;
}

export function encodeLeaves(leaves: readonly Leaf[]): Buffer {
  const writer = new ByteWriter();
  for (const { key, digest } of leaves)
    writer
      .u8(key.length / 2)
      .hex(key)
      .hex(digest);
  return writer.finish();
}

/** @throws PeerFault */
export function decodeLeaves(bytes: Uint8Array): Leaf[] {
  const reader = new ByteReader(bytes);
  const leaves: Leaf[] = [];
  while (!reader.isAtEnd) {
    leaves.push({ key: readKey(reader), digest: reader.hex(DIGEST_BYTES) });
    assertCount(leaves.length, MAX_LEAVES);
  }
  return leaves;
}

export function encodeKeys(keys: readonly string[]): Buffer {
  const writer = new ByteWriter();
  for (const key of keys) writer.u8(key.length / 2).hex(key);
  return writer.finish();
}

/** @throws PeerFault */
export function decodeKeys(bytes: Uint8Array): string[] {
  const reader = new ByteReader(bytes);
  const keys: string[] = [];
  while (!reader.isAtEnd) {
    keys.push(readKey(reader));
    assertCount(keys.length, MAX_LEAVES);
  }
  return keys;
}

export function encodeDigests(digests: readonly (string | null)[]): Buffer {
  const writer = new ByteWriter();
  for (const digest of digests) {
    if (digest === null) writer.u8(NONE);
    else writer.u8(1).hex(digest);
  }
  return writer.finish();
}

/** @throws PeerFault */
export function decodeDigests(bytes: Uint8Array, count: number): (string | null)[] {
  const reader = new ByteReader(bytes);
  const digests = Array.from({ length: count }, () =>
    reader.u8() === NONE ? null : reader.hex(DIGEST_BYTES),
  );
  reader.end();
  return digests;
}

function writePrefix(writer: ByteWriter, prefix: Prefix): void {
  writer.u8(prefix.length).hex(prefix.length % 2 === 0 ? prefix : `${prefix}0`);
}

function readPrefix(reader: ByteReader): Prefix {
  const digits = reader.u8();
  if (digits > MAX_PREFIX_DIGITS) throw new PeerFault("the peer asked for a range that is never split");
  return reader.hex(Math.ceil(digits / 2)).slice(0, digits);
}

function writeShorts(writer: ByteWriter, shorts: readonly string[]): void {
  writer.u16(shorts.length).hex(shorts.join(""));
}

function readShorts(reader: ByteReader): string[] {
  const count = reader.u16();
  assertCount(count, MAX_RANGE_LEAVES);
  return Array.from({ length: count }, () => reader.hex(SHORT_BYTES));
}

function writeNode(writer: ByteWriter, node: RangeNode): void {
  switch (node.kind) {
    case "none":
      writer.u8(NONE);
      break;
    case "unready":
      writer.u8(UNREADY);
      break;
    case "leaves":
      writeShorts(writer.u8(LEAVES), node.shorts);
      break;
    case "inner": {
      const there = node.children.map((child) => child !== null);
      writer.u8(INNER).u16(there.reduce((mask, is, nibble) => (is ? mask | (1 << nibble) : mask), 0));
      for (const child of node.children) if (child !== null) writer.hex(child);
      break;
    }
  }
}

function readNode(reader: ByteReader): RangeNode {
  const kind = reader.u8();
  switch (kind) {
    case NONE:
      return { kind: "none" };
    case UNREADY:
      return { kind: "unready" };
    case LEAVES:
      return { kind: "leaves", shorts: readShorts(reader) };
    case INNER: {
      const mask = reader.u16();
      const children = Array.from({ length: CHILDREN }, (_, nibble) =>
        (mask & (1 << nibble)) === 0 ? null : reader.hex(SHORT_BYTES),
      );
      return { kind: "inner", children };
    }
    default:
      throw new PeerFault(`the peer sent a range of kind ${kind}, which is not known`);
  }
}

function readKey(reader: ByteReader): string {
  const length = reader.u8();
  if (length === 0 || length > MAX_KEY_BYTES) throw new PeerFault(`the peer sent a key of ${length} bytes`);
  return reader.hex(length);
}

function assertCount(count: number, max: number): void {
  if (count > max) throw new PeerFault(`the peer sent more than ${max} of what is asked for at once`);
}
