import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TransportError } from "../../../src/functions/transport/errors.ts";
import { FrameParser, type Parsed } from "../../../src/functions/transport/frame-parser.ts";
import { encodeFrame, FRAME, HEADER_BYTES, PREAMBLE } from "../../../src/functions/transport/frames.ts";

const frames = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(FRAME)),
    streamId: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 20 },
);
type Sent = readonly { type: (typeof FRAME)["data"]; streamId: number; payload: Uint8Array }[];

const bytesOf = (sent: unknown): Buffer[] =>
  (sent as Sent).map(({ type, streamId, payload }) => encodeFrame(type, streamId, payload));

/** Pieces of the bytes as a port could deliver them. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

function parseAll(parser: FrameParser, chunks: readonly Uint8Array[]): Parsed[] {
  return chunks.flatMap((chunk) => [...parser.push(chunk)]);
}

describe("frames of a port", () => {
  test("come whole, however the bytes are cut", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat()), (sent, cuts) => {
        const bytes = Buffer.concat([PREAMBLE, ...bytesOf(sent)]);
        const expected = sent.map((frame) => ({ ...frame, payload: Buffer.from(frame.payload) }));
        assert.deepEqual(parseAll(new FrameParser(), pieces(bytes, cuts)), ["preamble", ...expected]);
      }),
    );
  });

  test("begin at the preamble, whatever stood before it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), frames, fc.array(fc.nat()), (rest, sent, cuts) => {
        fc.pre(!Buffer.concat([rest, PREAMBLE]).subarray(0, -1).includes(PREAMBLE));
        const bytes = Buffer.concat([rest, PREAMBLE, ...bytesOf(sent)]);
        const parsed = parseAll(new FrameParser(), pieces(bytes, cuts));
        assert.deepEqual([parsed[0], parsed.length], ["preamble", sent.length + 1]);
      }),
    );
  });

  test("a preamble between frames is told and changes nothing else", () => {
    const frame = encodeFrame(FRAME.data, 3, Buffer.from("x"));
    const parsed = parseAll(new FrameParser(), [Buffer.concat([PREAMBLE, frame, PREAMBLE, frame])]);
    const told = parsed.map((part) => (part === "preamble" ? part : part.streamId));
    assert.deepEqual(told, ["preamble", 3, "preamble", 3]);
  });

  test("hostile bytes raise the one error, or wait for more", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (chunks) => {
        try {
          parseAll(new FrameParser(), [PREAMBLE, ...chunks]);
        } catch (error) {
          assert.ok(error instanceof TransportError && error.code === "GUEST_PROTOCOL_BROKEN");
        }
      }),
    );
  });

  test("a frame that is too long is refused when its header is there, and reading goes on at the next preamble", () => {
    const parser = new FrameParser();
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(65_537, 0);
    header.writeUInt8(FRAME.data, 4);
    assert.throws(() => parseAll(parser, [PREAMBLE, header]), { code: "GUEST_PROTOCOL_BROKEN" });
    parser.seek();
    const next = Buffer.concat([PREAMBLE, encodeFrame(FRAME.end, 1, Buffer.alloc(0))]);
    assert.equal(parseAll(parser, [next]).length, 2);
  });
});
