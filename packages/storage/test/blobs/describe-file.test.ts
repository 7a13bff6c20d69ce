import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { importer } from "ipfs-unixfs-importer";
import { type DagLayout, FIXED_LAYOUT, LAYOUT_V0, LAYOUT_V1_2025 } from "../../src/blobs/dag-layout.ts";
import { describeFile, FILE_NAMES } from "../../src/blobs/describe-file.ts";
import { FileDagBuilder } from "../../src/blobs/file-dag-builder.ts";
import { cutBytes, seededBuffer, seededBytes } from "./bytes.ts";
import { type FileVector, kubo } from "./kubo-vectors.ts";

function rootOf(layout: DagLayout, vector: FileVector): ReturnType<FileDagBuilder["finish"]> {
  const builder = new FileDagBuilder(layout);
  for (const piece of seededBytes(vector.seed, vector.sizeBytes)) builder.update(piece);
  return builder.finish();
}

for (const vector of kubo.files) {
  test(`a file of ${vector.sizeBytes} bytes has the names that Kubo gives it`, async () => {
    const description = await describeFile(seededBytes(vector.seed, vector.sizeBytes));
    assert.deepEqual(description, {
      sizeBytes: vector.sizeBytes,
      sha256: vector.sha256,
      cidV0: vector.cidV0,
      cidV1: vector.cidV1,
      fixedCid: vector.cidV1,
    });
    assert.equal(rootOf(LAYOUT_V0, vector).cumulativeBytes, vector.v0.cumulativeSizeBytes);
    assert.equal(rootOf(FIXED_LAYOUT, vector).cumulativeBytes, vector.v1.cumulativeSizeBytes);
    assert.equal(rootOf(LAYOUT_V1_2025, vector).cid.toString(), vector.cidV1Of1MiBChunks);
    const wrapped = rootOf({ ...LAYOUT_V0, cidVersion: 1 }, vector);
    assert.equal(wrapped.cid.toString(), vector.cidV1WithoutRawLeaves);
  });
}

test("only the names asked for are computed", async () => {
  for (const name of FILE_NAMES) {
    assert.deepEqual(
      Object.keys(await describeFile([new Uint8Array(10)], { names: [name] })).sort(),
      [name, "sizeBytes"].sort(),
    );
  }
});

test("the names do not depend on the pieces in which the bytes come", async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 700_000 }), lengths, async (sizeBytes, cuts) => {
      const bytes = seededBuffer("pieces", sizeBytes);
      assert.deepEqual(await describeFile(cutBytes(bytes, cuts)), await describeFile([bytes]));
    }),
    { numRuns: 30 },
  );
});

test("any small layout gives the root of the reference importer", async () => {
  const layouts = fc.record({
    cidVersion: fc.constantFrom<0 | 1>(0, 1),
    rawLeaves: fc.boolean(),
    chunkBytes: fc.integer({ min: 1, max: 40 }),
    maxLinks: fc.integer({ min: 2, max: 5 }),
  });
  const sink = { put: async (cid: unknown) => cid as never };
  await fc.assert(
    fc.asyncProperty(layouts, fc.uint8Array({ maxLength: 600 }), async (layout, bytes) => {
      const builder = new FileDagBuilder(layout);
      builder.update(bytes);
      const expected = importer([{ content: bytes }], sink, {
        cidVersion: layout.cidVersion,
        rawLeaves: layout.rawLeaves,
        chunker: async function* () {
          yield* bytes.length === 0 ? [bytes] : cutBytes(bytes, [layout.chunkBytes]);
        },
        layout: (await import("ipfs-unixfs-importer/layout")).balanced({
          maxChildrenPerNode: layout.maxLinks,
        }),
      });
      const root = builder.finish();
      for await (const { cid, size } of expected) {
        assert.equal(root.cid.toString(), cid.toString());
        assert.equal(BigInt(root.cumulativeBytes), size);
      }
    }),
    { numRuns: 150 },
  );
});

test("an aborted description ends though the source keeps silent", async () => {
  const silent = async function* (): AsyncGenerator<Uint8Array> {
    await new Promise(() => {});
  };
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(describeFile(silent(), { signal }), /enough/);
});
