import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { archiveMessages } from "../../src/chain/archive-messages.ts";
import { ChainError } from "../../src/chain/errors.ts";

const read = (text: string, pieceBytes = 7): Promise<string[]> => {
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
    bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
  return Array.fromAsync(archiveMessages(pieces));
};

test("the messages of any archive come out as they are written, however its bytes arrive", async () => {
  const members = fc.dictionary(fc.string(), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(
      fc.array(members, { maxLength: 5 }),
      members,
      fc.integer({ min: 1, max: 64 }),
      fc.constantFrom(0, 1, 2),
      async (messages, other, pieceBytes, indent) => {
        const { content: _content, ...others } = other as Record<string, unknown>;
        const { messages: _messages, ...inner } = others;
        const archive = { ...others, content: { ...inner, messages }, more: [{ messages: [{ a: 1 }] }] };
        const texts = await read(JSON.stringify(archive, null, indent), pieceBytes);
        assert.deepEqual(
          texts.map((text) => JSON.parse(text)),
          JSON.parse(JSON.stringify(messages)),
        );
      },
    ),
  );
});

test("digits that a number would lose stay", async () => {
  assert.deepEqual(
    await read('{"content":{"messages":[{"time":1697718147.2697070}, {"n":9007199254740993} ]}}'),
    ['{"time":1697718147.2697070}', '{"n":9007199254740993}'],
  );
});

test("lists elsewhere hold no messages", async () => {
  const text = '{"messages":[{"a":1}],"content":{"content":{"messages":[{"b":1}]},"messages":[]}}';
  assert.deepEqual(await read(text), []);
});

test("what is no archive, or ends too early, is refused", async () => {
  const broken = [
    "",
    "[]",
    "{}",
    '{"content":{}}',
    '{"content":{"messages":[{"a":1}',
    '{"content":{"messages":[}]}',
  ];
  for (const text of broken) {
    await assert.rejects(
      read(text),
      (error) => error instanceof ChainError && error.code === "CHAIN_CONTENT_INVALID",
      text,
    );
  }
  await assert.rejects(
    Array.fromAsync(archiveMessages([Uint8Array.of(0x7b, 0xff)])),
    (error) => error instanceof ChainError && error.code === "CHAIN_CONTENT_INVALID",
  );
});

test("a message that is longer than any can be is left out", async () => {
  const long = JSON.stringify({ text: "x".repeat(5 * 1024 * 1024) });
  const texts = await read(`{"content":{"messages":[{"a":1},${long},{"b":1}]}}`, 65_536);
  assert.deepEqual(texts, ['{"a":1}', '{"b":1}']);
});
