import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHAINS, ITEM_TYPES, MESSAGE_TYPES } from "@twentysix/protocol";
import type { Skeleton } from "@twentysix/state";
import fc from "fast-check";
import { readArchiveLine } from "../../src/archive/archive-line.ts";
import { readExchangeLine, writeExchangeLine } from "../../src/archive/exchange-line.ts";
import { type FilePart, writeFilePart } from "../../src/archive/file-part-line.ts";
import { type NdjsonLine, readNdjsonLines } from "../../src/archive/ndjson-lines.ts";
import { writeSkeleton } from "../../src/archive/skeleton-line.ts";

const anyText = fc.string({ unit: "grapheme" });
const envelope = fc
  .record({ item_hash: anyText, item_content: fc.option(anyText), time: fc.double({ noNaN: true }) })
  .map((value) => JSON.stringify(value));

describe("a line of an exported file", () => {
  test("gives back the exact envelope and the content", () => {
    fc.assert(
      fc.property(envelope, fc.option(anyText), (envelopeText, content) => {
        const line = writeExchangeLine(envelopeText, content);
        assert.ok(!line.includes("\n"));
        assert.deepEqual(readExchangeLine(line), { ok: true, envelopeText, content });
      }),
    );
  });

  test("is understood after another program has written it anew", () => {
    fc.assert(
      fc.property(envelope, anyText, (envelopeText, content) => {
        const { stored_content: moved, ...rest } = JSON.parse(writeExchangeLine(envelopeText, content));
        const read = readExchangeLine(JSON.stringify({ ...rest, stored_content: moved }));
        assert.ok(read.ok);
        assert.equal(read.content, content);
        assert.deepEqual(JSON.parse(read.envelopeText), JSON.parse(envelopeText));
      }),
    );
  });

  test("layout between its members is no line of its own", () => {
    const line = writeExchangeLine('{\r\n "item_hash": "a",\n "time": 1 }\n', "x");
    assert.equal(line, '{"stored_content":"x",  "item_hash": "a",  "time": 1 }');
  });

  test("is told apart from what only looks like one", () => {
    for (const line of [
      '{"stored_content":',
      '{"stored_content":"a',
      '{"stored_content":3,"a":1}',
      '{"stored_content"',
    ]) {
      assert.equal(readExchangeLine(line).ok, false, line);
    }
    for (const line of [
      "",
      "[]",
      '["stored_content"]',
      "garbage",
      '{"item_content":"{\\"stored_content\\":1}"}',
    ]) {
      assert.deepEqual(readExchangeLine(line), { ok: true, envelopeText: line, content: null });
    }
  });
});

const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const micros = fc.bigInt({ min: 0n, max: 250_000_000_000_000_000n });
const PLAIN = { noNullPrototype: true } as const;
const skeletons: fc.Arbitrary<Skeleton> = fc.record(
  {
    hash,
    message: fc.record(
      {
        type: fc.constantFrom(...MESSAGE_TYPES),
        chain: fc.constantFrom(...CHAINS),
        sender: anyText,
        owner: anyText,
        channel: fc.option(anyText),
        label: fc.option(anyText),
        itemType: fc.constantFrom(...ITEM_TYPES),
        paymentType: anyText,
        signature: fc.option(anyText),
        timeMicros: micros,
        contentTimeMicros: micros,
        size: fc.maxSafeNat(),
        contentHash: fc.option(hash),
        parent: fc.option(hash),
        revises: fc.boolean(),
        forgottenMicros: fc.constant(null),
      },
      PLAIN,
    ),
  },
  PLAIN,
);
const parts: fc.Arbitrary<FilePart> = fc.record(
  {
    fileHash: anyText,
    form: fc.constantFrom("bytes", "car"),
    part: fc.nat(),
    isLast: fc.boolean(),
    bytes: fc.uint8Array(),
  },
  PLAIN,
);

describe("lines that are no message", () => {
  test("give back what was written", () => {
    fc.assert(
      fc.property(skeletons, (skeleton) => {
        assert.deepEqual(readArchiveLine(writeSkeleton(skeleton)), { kind: "skeleton", skeleton });
      }),
    );
    fc.assert(
      fc.property(parts, (part) => {
        const read = readArchiveLine(writeFilePart(part));
        assert.ok(read.kind === "file");
        assert.deepEqual({ ...read.part, bytes: Uint8Array.from(read.part.bytes) }, part);
      }),
    );
  });

  test("are read or told, whatever their members hold", () => {
    const lines = fc.oneof(skeletons.map(writeSkeleton), parts.map(writeFilePart));
    fc.assert(
      fc.property(lines, fc.nat(20), fc.jsonValue(), (line, at, value) => {
        const members = Object.entries(JSON.parse(line) as object);
        const changed = members.map(([key, was], index) => [
          key,
          index === at % members.length ? value : was,
        ]);
        const { kind } = readArchiveLine(JSON.stringify(Object.fromEntries(changed)));
        assert.ok(["file", "skeleton", "malformed"].includes(kind));
      }),
    );
  });
});

describe("lines of a file", () => {
  const linesOf = async (pieces: readonly Uint8Array[], maxBytes: number): Promise<NdjsonLine[]> => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* pieces;
    }
    return await Array.fromAsync(readNdjsonLines(source(), maxBytes));
  };

  test("are the same however the bytes come", async () => {
    const texts = fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " ")));
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 20 }), fc.boolean(), async (lines, size, isEnded) => {
        const bytes = Buffer.from(lines.join("\n") + (isEnded && lines.length > 0 ? "\n" : ""));
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
        const found = await linesOf(pieces, 1_000_000);
        const expected = bytes.toString().split("\n");
        // A line feed ends a line: nothing behind the last one is no line.
        if (expected.at(-1) === "") expected.pop();
        assert.deepEqual(
          found.map((line) => line.text),
          expected,
        );
        assert.deepEqual(
          found.map((line) => line.number),
          expected.map((_, index) => index + 1),
        );
      }),
    );
  });

  test("that are too long or no UTF-8 are told by their number, the others go on", async () => {
    const bytes = Buffer.concat([
      Buffer.from("one\n"),
      Buffer.from([0xff, 0x0a]),
      Buffer.from(`${"x".repeat(11)}\nfour`),
    ]);
    for (const pieces of [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))]) {
      assert.deepEqual(await linesOf(pieces, 10), [
        { number: 1, text: "one", sizeBytes: 3 },
        { number: 2, text: null, reason: "not UTF-8" },
        { number: 3, text: null, reason: "longer than the 10 bytes that a message can have" },
        { number: 4, text: "four", sizeBytes: 4 },
      ]);
    }
  });
});
