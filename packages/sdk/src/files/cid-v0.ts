import { decodeItemHash } from "@twentysix/protocol";
import { type FileSource, fileChunks, fileSizeBytes } from "./file-source.ts";
import type { CreateSha256 } from "./sha256-hasher.ts";

/** Links of one inner node of a balanced tree. */
const MAX_LINKS = 174;

/** A node of the tree: its name and the two sizes that its parent writes down. */
interface DagNode {
  /** 0x12 0x20 and the SHA-256 of the serialised node. */
  readonly multihash: Uint8Array;
  readonly fileBytes: number;
  /** Serialised length of the node and of everything under it. */
  readonly cumulativeBytes: number;
}

/**
 * The CIDv0 (`Qm…`) of a file: UnixFS in a balanced tree, chunks of 262 144 bytes, 174 links a node, leaves
 * wrapped in dag-pb.
 *
 * These are the parameters that nodes use for files added over HTTP. Source: aleph-rs
 * `crates/aleph-cid/src/verify.rs`.
 */
export async function cidV0OfFile(
  file: FileSource,
  createSha256: CreateSha256,
  signal?: AbortSignal,
): Promise<string> {
  let level: DagNode[] = [];
  for await (const chunk of fileChunks(file)) {
    signal?.throwIfAborted();
    level.push(leaf(chunk, createSha256));
  }
  if (fileSizeBytes(file) === 0) level.push(leaf(new Uint8Array(), createSha256));
  while (level.length > 1) {
    const parents: DagNode[] = [];
    for (let start = 0; start < level.length; start += MAX_LINKS) {
      parents.push(innerNode(level.slice(start, start + MAX_LINKS), createSha256));
    }
    level = parents;
  }
  const [root] = level;
  if (root === undefined) throw new RangeError("a tree without a root: the file changed while it was read");
  return decodeItemHash(root.multihash);
}

function leaf(chunk: Uint8Array, createSha256: CreateSha256): DagNode {
  const data = chunk.length === 0 ? [] : [lengthDelimited(2, chunk)];
  const unixFs = concatenate([varintField(1, 2), ...data, varintField(3, chunk.length)]);
  return dagNode(lengthDelimited(1, unixFs), chunk.length, 0, createSha256);
}

function innerNode(children: readonly DagNode[], createSha256: CreateSha256): DagNode {
  const links = children.map((child) => {
    const link = [
      lengthDelimited(1, child.multihash),
      lengthDelimited(2, new Uint8Array()),
      varintField(3, child.cumulativeBytes),
    ];
    return lengthDelimited(2, concatenate(link));
  });
  const fileBytes = sum(children.map((child) => child.fileBytes));
  const blockSizes = children.map((child) => varintField(4, child.fileBytes));
  const unixFs = concatenate([varintField(1, 2), varintField(3, fileBytes), ...blockSizes]);
  const serialised = concatenate([...links, lengthDelimited(1, unixFs)]);
  return dagNode(serialised, fileBytes, sum(children.map((child) => child.cumulativeBytes)), createSha256);
}

function dagNode(
  serialised: Uint8Array,
  fileBytes: number,
  childBytes: number,
  createSha256: CreateSha256,
): DagNode {
  const hasher = createSha256();
  hasher.update(serialised);
  const multihash = concatenate([Uint8Array.of(0x12, 0x20), hasher.digest()]);
  return { multihash, fileBytes, cumulativeBytes: serialised.length + childBytes };
}

/** Protocol-buffer field of wire type 2. */
function lengthDelimited(field: number, bytes: Uint8Array): Uint8Array {
  return concatenate([Uint8Array.of((field << 3) | 2), varint(bytes.length), bytes]);
}

/** Protocol-buffer field of wire type 0. */
function varintField(field: number, value: number): Uint8Array {
  return concatenate([Uint8Array.of(field << 3), varint(value)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(sum(parts.map((part) => part.length)));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
