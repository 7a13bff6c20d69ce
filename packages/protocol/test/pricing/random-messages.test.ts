import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type NetworkDefinition, parseJson, parseNetworkDefinition } from "../../src/index.ts";
import {
  amountsOf,
  billOf,
  digestOfBills,
  type RandomMessage,
  type Resources,
  randomMessages,
} from "./random-bills.ts";

const definition = network();
const SEED = 26;
const MESSAGES = randomMessages(SEED, 1_000);

function network(): NetworkDefinition {
  const text = readFileSync(new URL("../../../../networks/mainnet.json", import.meta.url), "utf8");
  const parsed = parseJson(text);
  const result = parsed.ok ? parseNetworkDefinition(parsed.value) : null;
  assert.ok(result?.ok);
  return result.definition;
}

test("what 1,000 random messages cost is the sum of their lines", () => {
  for (const message of MESSAGES) {
    const { lines, total } = billOf(definition, message);
    const sums = [0, 1, 2].map((at) => lines.reduce((sum, line) => sum + (amountsOf(line)[at] ?? 0n), 0n));
    assert.deepEqual(sums, amountsOf(total));
    assert.ok(
      amountsOf(total).every((amount) => amount >= 0n),
      JSON.stringify(message),
    );
  }
});

/** More of a resource, where the message has it. */
const LARGER: Readonly<Record<keyof Resources, (resources: Resources) => Partial<Resources>>> = {
  vcpus: ({ vcpus }) => ({ vcpus: vcpus + 1 }),
  memoryMib: ({ memoryMib }) => ({ memoryMib: memoryMib + 2_048 }),
  rootfsMib: ({ rootfsMib }) => ({ rootfsMib: rootfsMib + 777 }),
  volumeMib: ({ volumeMib }) => ({ volumeMib: volumeMib + 777 }),
  fileMib: ({ fileMib }) => ({ fileMib: fileMib + 77 }),
  gpus: ({ gpus }) => (gpus === 0 ? {} : { gpus: gpus + 1 }),
};

/**
 * Units bring disk. A unit of 1,000 tokens held brings 20,480 MiB, which cost 1,024; and beside GPUs that bring more
 * units than cores and memory ask for, a further core costs nothing and brings 61,440 MiB all the same. The published
 * prices say so: whoever has that much disk pays less for more.
 */
const HELD_DISK_BONUS = 24n * 10n ** 18n;
const GPU_DISK_MIB = 61_440n;
const STREAM_MIB = 271_388_888_888n;
const CREDIT_MIB = 49_909_691_751_740n;

test("more of any resource never costs less, but for the disk that comes with units", () => {
  for (const message of MESSAGES) {
    const before = amountsOf(billOf(definition, message).total);
    for (const [name, larger] of Object.entries(LARGER)) {
      const after = amountsOf(billOf(definition, message, larger(message.resources)).total);
      const bonus = diskBonus(message, name);
      for (const [at, amount] of after.entries())
        assert.ok(
          amount >= (before[at] ?? 0n) - (bonus[at] ?? 0n),
          `${name} ${at}: ${JSON.stringify(message)}`,
        );
    }
  }
});

/** By how much a unit more can make the amounts smaller. */
function diskBonus({ type, isPersistent, resources }: RandomMessage, name: string): readonly bigint[] {
  if (name !== "vcpus" && name !== "memoryMib") return [0n, 0n, 0n];
  if (resources.gpus > 0) return [0n, GPU_DISK_MIB * STREAM_MIB, GPU_DISK_MIB * CREDIT_MIB];
  const holds = type === "INSTANCE" || (type === "PROGRAM" && isPersistent);
  return [holds ? HELD_DISK_BONUS : 0n, 0n, 0n];
}

test("the same seed makes the same bills, to the last digit", () => {
  assert.equal(digestOfBills(definition, randomMessages(SEED, 1_000)), digestOfBills(definition, MESSAGES));
  assert.notEqual(
    digestOfBills(definition, randomMessages(SEED + 1, 1_000)),
    digestOfBills(definition, MESSAGES),
  );
});
