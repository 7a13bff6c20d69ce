import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { archivedMessage, buildArchive } from "../../src/chain/packer/archive-builder.ts";
import { ceilingOf, legacyFees, marketFees, replacing } from "../../src/chain/packer/fees.ts";
import { mayPack } from "../../src/chain/packer/turns.ts";
import { evm, signed } from "../pipeline/support/signed.ts";

const HOUR_MS = 3_600_000;

describe("turns", () => {
  const rules = { takeOverMs: 900_000, handoverMs: 300_000 };
  const addresses = fc.uniqueArray(fc.stringMatching(/^0x[0-9a-fA-F]{40}$/), {
    minLength: 2,
    maxLength: 6,
    selector: (address) => address.toLowerCase(),
  });

  test("with a fresh backlog exactly one packs, and each has its hour", () => {
    fc.assert(
      fc.property(addresses, fc.integer({ min: 0, max: 1_000_000 }), (packers, hour) => {
        const nowMs = hour * HOUR_MS + rules.handoverMs;
        const those = (atMs: number) =>
          packers.filter((self) => mayPack({ ...rules, packers, self, nowMs: atMs, oldestMs: atMs }));
        assert.equal(those(nowMs).length, 1);
        const round = packers.flatMap((_, n) => those(nowMs + n * HOUR_MS));
        assert.equal(new Set(round).size, packers.length);
      }),
    );
  });

  test("the older the backlog the more stand in, one after the other", () => {
    fc.assert(
      fc.property(addresses, fc.integer({ min: 0, max: 10 }), (packers, steps) => {
        const nowMs = 1_000_000 * HOUR_MS + rules.handoverMs;
        const oldestMs = nowMs - steps * rules.takeOverMs;
        const those = packers.filter((self) => mayPack({ ...rules, packers, self, nowMs, oldestMs }));
        assert.equal(those.length, Math.min(packers.length, steps + 1));
      }),
    );
  });

  test("nobody packs while the turn changes, a stranger never, and who is alone always", () => {
    const [a, b] = ["0xAA", "0xbb"];
    const asked = { ...rules, nowMs: 7 * HOUR_MS + 1, oldestMs: 0 };
    assert.ok(![a, b].some((self) => mayPack({ ...asked, packers: [a, b], self })));
    assert.ok(!mayPack({ ...asked, nowMs: 7.5 * HOUR_MS, packers: [a, b], self: "0xcc" }));
    assert.ok(mayPack({ ...asked, packers: [a], self: a }));
    assert.ok(mayPack({ ...asked, packers: null, self: a }));
  });
});

describe("fees", () => {
  test("are the mean of the tips and twice the next base fee", () => {
    const history = { baseFeePerGas: ["0x64", "0xc8"], reward: [["0xa"], ["0x15"], []] };
    assert.deepEqual(marketFees(history), {
      kind: "eip1559",
      maxPriorityFeePerGas: 15n,
      maxFeePerGas: 415n,
    });
    assert.equal(marketFees({ baseFeePerGas: ["0x64"], reward: [] }), null);
    assert.equal(marketFees({ reward: null }), null);
    assert.deepEqual(legacyFees(109n), { kind: "legacy", gasPrice: 119n });
  });

  test("a replacement offers at least a tenth more of each, whatever the market does", () => {
    const fee = fc.bigInt({ min: 0n, max: 10n ** 12n });
    fc.assert(
      fc.property(fee, fee, fee, fee, (tip, rest, marketTip, marketRest) => {
        const earlier = { kind: "eip1559", maxPriorityFeePerGas: tip, maxFeePerGas: tip + rest } as const;
        const market = {
          kind: "eip1559",
          maxPriorityFeePerGas: marketTip,
          maxFeePerGas: marketTip + marketRest,
        } as const;
        const next = replacing(earlier, market);
        assert.ok(ceilingOf(next) * 10n >= ceilingOf(earlier) * 11n && ceilingOf(next) >= ceilingOf(market));
        assert.ok(next.kind === "eip1559" && next.maxPriorityFeePerGas * 10n >= tip * 11n);
        assert.ok(next.maxFeePerGas >= next.maxPriorityFeePerGas);
      }),
    );
  });
});

describe("archives", () => {
  const messages = Array.from({ length: 50 }, (_, n) => {
    const { hash, text } = signed(evm("bounded"), "POST", 1_700_000_000 + n, {
      type: "note",
      content: "ä".repeat(100),
    });
    return { id: n + 1, itemHash: hash, envelopeText: text, receptionMicros: BigInt(1_000 + n) };
  });
  const records = {
    unconfirmed: async (afterId: number, limit: number) => {
      const step = messages.filter(({ id }) => id > afterId).slice(0, limit);
      return { messages: step, afterId: step.length < limit ? null : (step.at(-1)?.id ?? null) };
    },
  };
  const { signal } = new AbortController();
  const unlimited = { maxBytes: 1e9, maxMessages: 1e9 };

  test("stay within their bytes and their count, and hold what they hold whole", async () => {
    for (const limits of [{ ...unlimited, maxMessages: 7 }, { ...unlimited, maxBytes: 5_000 }, unlimited]) {
      const archive = await buildArchive(records, signal, () => true, limits);
      const bytes = Buffer.concat([...(archive?.pieces ?? [])]);
      assert.ok(bytes.length <= limits.maxBytes);
      const held = JSON.parse(bytes.toString()).content.messages as { item_hash: string }[];
      assert.ok(held.length <= limits.maxMessages && held.length > 0);
      assert.deepEqual(
        held.map((message) => message.item_hash),
        messages.slice(0, held.length).map((message) => message.itemHash),
      );
      assert.deepEqual(
        archive?.itemIds,
        messages.slice(0, held.length).map(({ id }) => id),
      );
    }
    assert.equal((await buildArchive(records, signal, () => true, unlimited))?.itemIds.length, 50);
  });

  test("are not collected by whom they are not wanted from", async () => {
    const asked: bigint[] = [];
    const isWanted = (oldestMicros: bigint): boolean => {
      asked.push(oldestMicros);
      return false;
    };
    assert.equal(await buildArchive(records, signal, isWanted, unlimited), null);
    assert.deepEqual(asked, [1_000n]);
  });

  test("have nothing that is not signed, and say what an envelope left out", () => {
    const itemHash = "ab".repeat(32);
    const envelopeText = `{"time":1700000000,"chain":"ETH","sender":"0xAb","type":"POST","signature":"0x1","item_content": "{}","item_hash":"${itemHash}"}`;
    assert.equal(
      archivedMessage({ envelopeText, itemHash }),
      `{"sender":"0xAb","chain":"ETH","signature":"0x1","type":"POST","item_content":"{}","item_type":"inline","item_hash":"${itemHash}","time":1700000000.0,"channel":null}`,
    );
    const stored = envelopeText.replace('"item_content": "{}",', "");
    assert.match(
      archivedMessage({ envelopeText: stored, itemHash }) ?? "",
      /"item_content":null,"item_type":"storage"/,
    );
    assert.equal(archivedMessage({ envelopeText: envelopeText.replace('"0x1"', "null"), itemHash }), null);
  });
});
