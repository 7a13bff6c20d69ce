import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createSeededRandom } from "@twentysix/platform";
import fc from "fast-check";
import { GeneratedFiles } from "../src/disk/generated-file.ts";
import { SimulatedDisk } from "../src/disk/simulated-disk.ts";
import { SizedContent } from "../src/disk/sized-content.ts";

const files = new GeneratedFiles(createSeededRandom(1));
const file = files.create(300_000);
const FILE = Buffer.concat([...files.read(file)]);

const write = fc.record({
  at: fc.nat(400_000),
  isGenerated: fc.boolean(),
  from: fc.constantFrom(0, 65_536, 131_072, 1_000),
  length: fc.integer({ min: 1, max: 200_000 }),
});

describe("what stands in a simulated file", () => {
  test("is what was written there, whether it is kept as bytes or by name", () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 8 }), (writes) => {
        let content = new SizedContent(files);
        let model = Buffer.alloc(0);
        for (const { at, isGenerated, from, length } of writes) {
          const bytes = isGenerated ? FILE.subarray(from, from + length) : Buffer.alloc(length, at % 251);
          content = content.written(at, bytes);
          const next = Buffer.alloc(Math.max(model.length, at + bytes.length));
          model.copy(next);
          bytes.copy(next, at);
          model = next;
        }
        const read = Buffer.alloc(model.length);
        assert.equal(content.read(read, 0), model.length);
        assert.ok(read.equals(model));
      }),
      { numRuns: 60 },
    );
  });
});

describe("a disk that loses its power", () => {
  test("keeps what was synced, and of the rest no more than was written", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const disk = new SimulatedDisk(files, () => 0);
      disk.makeFolder("/a");
      const [kept, lost] = [disk.create("/a/kept"), disk.create("/a/lost")];
      disk.write(kept, 0, Buffer.from("synced"));
      kept.durable = kept.live;
      disk.root.durable = new Map(disk.root.live);
      const folder = disk.folder("/a");
      folder.durable = new Map([["kept", kept]]);
      disk.write(kept, 6, Buffer.from(" and more"));
      disk.write(lost, 0, Buffer.from("not synced"));
      disk.losePower(createSeededRandom(seed));
      const text = Buffer.alloc(disk.file("/a/kept").live.sizeBytes);
      disk.file("/a/kept").live.read(text, 0);
      assert.ok("synced and more".startsWith(text.toString()) && text.length >= "synced".length);
      const node = disk.find("/a/lost");
      assert.ok(node === undefined || (node.kind === "file" && node.live.sizeBytes <= "not synced".length));
    }
  });
});
