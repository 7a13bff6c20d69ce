import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { frameOf, framesOf } from "../src/frames.ts";

const MAX_BYTES = 1_000_000;

async function* inPieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.byteLength; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function framesIn(source: AsyncIterable<Uint8Array>): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  for await (const frame of framesOf(source, MAX_BYTES)) frames.push(Buffer.from(frame));
  return frames;
}

describe("frames", () => {
  test("come as they were sent, whatever pieces the stream is cut into", async () => {
    const contents = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(contents, sizes, async (sent, cuts) => {
        const stream = Buffer.concat(sent.map(frameOf));
        const got = await framesIn(inPieces(stream, cuts));
        assert.deepEqual(
          got,
          sent.map((content) => Buffer.from(content)),
        );
      }),
    );
  });

  // With a list of pieces whose first was taken off each time, this took minutes.
  test("that come byte by byte cost no more than their bytes", { timeout: 30_000 }, async () => {
    const content = Buffer.alloc(300_000, 7);
    const [frame, more] = await framesIn(inPieces(Buffer.concat([frameOf(content), frameOf(content)]), [1]));
    assert.ok(frame?.equals(content) && more?.equals(content));
  });

  test("that are too long are refused at their length, and broken ones at the end", async () => {
    const long = frameOf(Buffer.alloc(MAX_BYTES + 1)).subarray(0, 4);
    for (const sizes of [[1], [4]]) {
      await assert.rejects(framesIn(inPieces(long, sizes)), {
        code: "NETWORK_PEER_FAILED",
        message: /a frame of 1000001 bytes; 1000000 are allowed/,
      });
    }
    for (const cut of [1, 4, 8]) {
      const broken = frameOf(Buffer.from("whole")).subarray(0, cut);
      await assert.rejects(framesIn(inPieces(broken, [3])), {
        code: "NETWORK_PEER_FAILED",
        message: /broke off/,
      });
    }
  });
});
