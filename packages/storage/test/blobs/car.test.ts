import assert from "node:assert/strict";
import { test } from "node:test";
import { CarReader, CarWriter } from "@ipld/car";
import * as dagCbor from "@ipld/dag-cbor";
import * as dagPb from "@ipld/dag-pb";
import fc from "fast-check";
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { openCar } from "../../src/blobs/car-reader.ts";
import { cidOf, DAG_PB, RAW } from "../../src/blobs/cids.ts";
import type { BlobErrorCode } from "../../src/blobs/errors.ts";
import { varint } from "../../src/blobs/leaf-frame.ts";
import { cutBytes, drain, seededBuffer } from "./bytes.ts";
import { carOf, directoryNode, fileNode, memoryStore, nodeBlock, rawBlock } from "./dag-fixtures.ts";
import { rejectsWith } from "./expect-code.ts";

const leaf = rawBlock(seededBuffer("leaf", 1000));
const other = rawBlock(seededBuffer("other", 1000));
const file = fileNode([
  { cid: leaf.cid, contentBytes: 1000, cumulativeBytes: 1000 },
  { cid: other.cid, contentBytes: 1000, cumulativeBytes: 1000 },
]);
const site = directoryNode([{ cid: file.cid, name: "a.bin", cumulativeBytes: 2100 }]);
const ALL = [site, file, leaf, other];

function header(value: unknown): Buffer {
  const bytes = dagCbor.encode(value);
  return Buffer.concat([Uint8Array.from(varint(bytes.length)), bytes]);
}

function section(cid: Uint8Array, bytes: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.from(varint(cid.length + bytes.length)), cid, bytes]);
}

const good = carOf([site.cid], ALL);
const { cid: root } = site;
const h = header({ version: 1, roots: [root] });
const tooLarge = rawBlock(new Uint8Array(2 * 1024 * 1024 + 1));

const refused: Record<string, [BlobErrorCode, Uint8Array]> = {
  "no bytes": ["CAR_TRUNCATED", new Uint8Array()],
  "half a length": ["CAR_TRUNCATED", Uint8Array.of(0x80)],
  "half a header": ["CAR_TRUNCATED", good.subarray(0, 20)],
  "a length of eleven bytes": ["CAR_VARINT_INVALID", new Uint8Array(20).fill(0x80)],
  "a length past 2^53": ["CAR_VARINT_INVALID", Buffer.from("ffffffffffffffffff01", "hex")],
  "a header of 8193 bytes": [
    "CAR_HEADER_TOO_LARGE",
    Buffer.concat([Buffer.from(varint(8193)), Buffer.alloc(8193)]),
  ],
  "a header of 4 GiB": ["CAR_HEADER_TOO_LARGE", Buffer.from(varint(2 ** 32))],
  "a header that is no DAG-CBOR": [
    "CAR_HEADER_INVALID",
    Buffer.concat([Buffer.from([3]), Buffer.from("abc")]),
  ],
  "a header that is a list": ["CAR_HEADER_INVALID", header([1, [root]])],
  "a header that is a link": ["CAR_HEADER_INVALID", header(root)],
  "version 2": ["CAR_VERSION_UNSUPPORTED", Buffer.from("0aa16776657273696f6e02", "hex")],
  "no version": ["CAR_VERSION_UNSUPPORTED", header({ roots: [root] })],
  "no roots": ["CAR_ROOT_COUNT", header({ version: 1, roots: [] })],
  "two roots": ["CAR_ROOT_COUNT", header({ version: 1, roots: [root, root] })],
  "a root that is text": ["CAR_ROOT_COUNT", header({ version: 1, roots: [root.toString()] })],
  "roots that are no list": ["CAR_ROOT_COUNT", header({ version: 1, roots: 1 })],
  "an empty section": ["CAR_SECTION_INVALID", Buffer.concat([h, Uint8Array.of(0)])],
  "a section without CID": ["CAR_SECTION_INVALID", Buffer.concat([h, Uint8Array.of(4, 9, 9, 9, 9)])],
  "a section cut short": ["CAR_TRUNCATED", good.subarray(0, good.length - 1)],
  "a section of 4 GiB": ["BLOCK_TOO_LARGE", Buffer.concat([h, Uint8Array.from(varint(2 ** 32))])],
  "a block above 2 MiB": ["BLOCK_TOO_LARGE", carOf([tooLarge.cid], [tooLarge])],
  "a wrong block": [
    "BLOCK_HASH_MISMATCH",
    carOf([root], [site, file, { cid: leaf.cid, bytes: other.bytes }, other]),
  ],
  "an unknown codec": [
    "CID_UNSUPPORTED",
    Buffer.concat([h, section(cidOf(1, 0x71, new Uint8Array(32)).bytes, Buffer.alloc(1))]),
  ],
  "a root without blocks": ["DAG_INCOMPLETE", carOf([root], [])],
  "a missing leaf": ["DAG_INCOMPLETE", carOf([root], [site, file, leaf])],
  "a missing node": ["DAG_INCOMPLETE", carOf([root], [site, leaf, other])],
  "a missing root": ["DAG_INCOMPLETE", carOf([root], [file, leaf, other])],
  "a root that is no UnixFS": [
    "DAG_NODE_INVALID",
    (() => {
      const node = nodeBlock({ Data: Uint8Array.of(0xff), Links: [] });
      return carOf([node.cid], [node]);
    })(),
  ],
  "a node that is no dag-pb": [
    "DAG_NODE_INVALID",
    (() => {
      const bytes = Uint8Array.of(0xff, 0xff);
      const cid = cidOf(1, DAG_PB, rawBlock(bytes).cid.multihash.digest);
      return carOf([cid], [{ cid, bytes }]);
    })(),
  ],
};

for (const [what, [code, car]] of Object.entries(refused)) {
  test(`a CAR with ${what} is refused with ${code} and leaves nothing`, async () => {
    const { store, disk } = await memoryStore();
    await rejectsWith(code, () => store.importCar(cutBytes(car, [50_000])));
    assert.deepEqual(disk.paths(), []);
    assert.equal(store.usage.reservedBytes, 0);
  });
}

test("the texts that clients of the reference know", async () => {
  const message = async (car: Uint8Array): Promise<string> =>
    openCar([car]).then(
      () => "",
      (error: Error) => error.message,
    );
  assert.equal(await message(header({ version: 2 })), "unsupported CAR version");
  assert.equal(await message(header({ version: 1, roots: [] })), "expected exactly 1 root");
  const { store } = await memoryStore();
  const expectedRoot = leaf.cid.toString();
  const error = await rejectsWith("CAR_ROOT_MISMATCH", () => store.importCar([good], { expectedRoot }));
  assert.equal(error.message, `Root CID does not match (${root} != ${expectedRoot})`);
});

test("a CAR longer than allowed is refused while it comes", async () => {
  const { store } = await memoryStore();
  const maxSizeBytes = good.length;
  await rejectsWith("BLOB_SIZE_EXCEEDED", () => store.importCar([good], { maxSizeBytes: maxSizeBytes - 1 }));
  await store.importCar([good], { maxSizeBytes });
});

test("a CAR is taken in any order of blocks, with repeated and stray ones, cut anyhow", async () => {
  const stray = rawBlock(Buffer.from("stray"));
  const order = fc.shuffledSubarray([...ALL, stray, leaf, file], { minLength: 7 });
  await fc.assert(
    fc.asyncProperty(
      order,
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
      async (blocks, cuts) => {
        const { store } = await memoryStore();
        const { record, facts } = await store.importCar(cutBytes(carOf([root], blocks), cuts));
        assert.equal(record.root, root.toString());
        assert.equal(facts.blockCount, 4);
        assert.equal(facts.strayBlockCount, 1);
        assert.equal((await drain(store.exportCar(record.root))).compare(good), 0);
      },
    ),
    { numRuns: 30 },
  );
});

test("any damage to a CAR is refused or leaves its DAG as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const { store, disk } = await memoryStore();
      const damaged = Buffer.from(good);
      damaged[at] = (damaged[at] ?? 0) ^ flip;
      try {
        const { record } = await store.importCar([damaged]);
        // A flip in a length that still parses can only have hidden blocks that nobody needs.
        assert.equal((await drain(store.exportCar(record.root))).length > 0, true);
        assert.equal(record.root, root.toString());
      } catch (error) {
        assert.equal((error as Error).name, "BlobError");
        assert.deepEqual(disk.paths(), []);
      }
    }),
    { numRuns: 300 },
  );
});

test("limits on blocks, links and depth hold", async () => {
  const { store } = await memoryStore();
  const chain = [rawBlock(Buffer.from("end"))];
  for (let depth = 0; depth < 600; depth += 1) {
    const [below] = chain;
    if (below !== undefined) chain.unshift(directoryNode([{ cid: below.cid, name: "d" }]));
  }
  const [top] = chain;
  assert.ok(top);
  await rejectsWith("DAG_TOO_DEEP", () => store.importCar([carOf([top.cid], chain)]));
  await store.importCar([carOf([top.cid], chain)], { limits: { maxDepth: 601 } });
  const limited = (limits: object): Promise<unknown> => store.importCar([good], { limits });
  await rejectsWith("DAG_TOO_MANY_BLOCKS", () => limited({ maxBlocks: 3 }));
  await rejectsWith("DAG_TOO_MANY_LINKS", () => limited({ maxLinks: 2 }));
  await rejectsWith("DAG_TOO_LARGE", () => limited({ maxCumulativeBytes: 2000 }));
});

test("a deep part is found deep however early it was met", async () => {
  // The root links the deepest node first, then a long chain that ends in it.
  const { store } = await memoryStore();
  const end = directoryNode([{ cid: directoryNode([]).cid, name: "x" }]);
  let chain = [end, directoryNode([])];
  for (let depth = 0; depth < 5; depth += 1) {
    const [below] = chain;
    if (below !== undefined) chain = [directoryNode([{ cid: below.cid, name: "d" }]), ...chain];
  }
  const [head] = chain;
  assert.ok(head);
  const top = directoryNode([
    { cid: end.cid, name: "a" },
    { cid: head.cid, name: "b" },
  ]);
  const car = carOf([top.cid], [top, ...chain]);
  await rejectsWith("DAG_TOO_DEEP", () => store.importCar([car], { limits: { maxDepth: 7 } }));
  await store.importCar([car], { limits: { maxDepth: 8 } });
});

test("a block inside its CID needs no section", async () => {
  const { store } = await memoryStore();
  const inline = CID.createV1(RAW, identity.digest(Buffer.from("hello")));
  const small = fileNode([{ cid: inline, contentBytes: 5, cumulativeBytes: 5 }]);
  await store.importCar([carOf([small.cid], [small])]);
  assert.equal(String(await drain(store.read(small.cid.toString()))), "hello");
});

test("other tools read our CAR files, and we theirs", async () => {
  const { store } = await memoryStore();
  const { writer, out } = CarWriter.create([root]);
  const theirs = drain(out);
  for (const block of ALL) await writer.put(block);
  await writer.close();
  await store.importCar([await theirs]);
  const reader = await CarReader.fromBytes(await drain(store.exportCar(root.toString())));
  assert.deepEqual((await reader.getRoots()).map(String), [root.toString()]);
  const blocks = await Array.fromAsync(reader.blocks());
  assert.deepEqual(
    blocks.map(({ cid }) => cid.toString()),
    ALL.map(({ cid }) => cid.toString()),
  );
  assert.equal(dagPb.decode(blocks[0]?.bytes ?? new Uint8Array()).Links.length, 1);
});

test("a pack is a CAR file that other tools read", async () => {
  const { store } = await memoryStore();
  const { record } = await store.importCar([good]);
  const reader = await CarReader.fromBytes(await drain(store.packs.get(record.pack ?? "")));
  assert.equal((await Array.fromAsync(reader.blocks())).length, ALL.length);
});

test("an import ends when its signal aborts, though the sender keeps silent", async () => {
  const { store, disk } = await memoryStore();
  const abort = new AbortController();
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    yield good.subarray(0, 500);
    abort.abort(new Error("enough"));
    await new Promise(() => {});
  };
  await assert.rejects(store.importCar(silent(), { signal: abort.signal }), /enough/);
  assert.deepEqual(disk.paths(), []);
});
