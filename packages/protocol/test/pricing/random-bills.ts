import {
  type CostAmounts,
  formatAtto,
  type JsonObject,
  type MessageCost,
  type MessageType,
  messageCost,
  type NetworkDefinition,
  PriceDecimal,
  priceBookOf,
  sha256OfText,
  type TypedContent,
  validateContent,
} from "../../src/index.ts";

/*
 * Seeded random messages and their bills. Runs in Node and in a browser: what both make of the same seed is compared
 * by a digest.
 */

/** What of a message costs, and can be made larger. */
export interface Resources {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly rootfsMib: number;
  readonly volumeMib: number;
  readonly fileMib: number;
  readonly gpus: number;
}

export interface RandomMessage {
  readonly type: MessageType;
  readonly payment: "hold" | "superfluid" | "credit";
  readonly isPersistent: boolean;
  readonly internet: boolean;
  readonly isConfidential: boolean;
  readonly device: string;
  readonly resources: Resources;
}

const HASH = "5f0c".repeat(16);
const TYPES = ["STORE", "PROGRAM", "INSTANCE", "V-PROGRAM"] as const;
const PAYMENTS = ["hold", "superfluid", "credit"] as const;
const DEVICES = ["10de:27b0", "10de:2204", "10de:2684", "10de:26b9", "10de:20b2", "10de:2330"] as const;

/** A small generator of 32 bits (xorshift): the same numbers everywhere. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export function randomMessages(seed: number, count: number): RandomMessage[] {
  const random = randomOf(seed);
  const pick = <T>(values: readonly T[]): T => values[random(values.length)] as T;
  return Array.from({ length: count }, () => {
    const type = pick(TYPES);
    const payment =
      type === "V-PROGRAM" ? "credit" : type === "STORE" ? pick(["hold", "credit"] as const) : pick(PAYMENTS);
    return {
      type,
      payment,
      isPersistent: random(2) === 0,
      internet: random(2) === 0,
      isConfidential: type === "INSTANCE" && random(4) === 0,
      device: pick(DEVICES),
      resources: {
        vcpus: 1 + random(16),
        memoryMib: 128 * (1 + random(256)),
        rootfsMib: 1 + random(200_000),
        volumeMib: 1 + random(100_000),
        fileMib: 1 + random(2_000_000) / 1024,
        gpus: type === "INSTANCE" && random(4) === 0 ? 1 + random(3) : 0,
      },
    };
  });
}

/** The bill of a message, perhaps with other resources. */
export function billOf(
  definition: Pick<NetworkDefinition, "pricing" | "settings">,
  message: RandomMessage,
  changes: Partial<Resources> = {},
): MessageCost {
  const resources = { ...message.resources, ...changes };
  const checked = validateContent(message.type, contentOf(message, resources), {
    creditInstancesWithoutNode: true,
  });
  if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
  const fileMib = new PriceDecimal(resources.fileMib);
  return messageCost({
    typed: { type: message.type, content: checked.content } as TypedContent,
    itemHash: HASH,
    prices: priceBookOf(definition.pricing),
    settings: definition.settings,
    sizeOf: () => fileMib,
    storedMib: fileMib,
  });
}

function contentOf(message: RandomMessage, resources: Resources): JsonObject {
  const common = {
    address: "0xA",
    time: 1,
    payment: { type: message.payment, chain: "ETH", receiver: "0xB" },
  };
  const machine = {
    allow_amend: false,
    resources: { vcpus: resources.vcpus, memory: resources.memoryMib },
    volumes: [
      { mount: "/disk", size_mib: resources.volumeMib, persistence: "host", name: "disk" },
      { ref: HASH, mount: "/ro" },
    ],
  };
  switch (message.type) {
    case "STORE":
      return { ...common, item_type: "storage", item_hash: HASH };
    case "PROGRAM":
      return {
        ...common,
        ...machine,
        type: "vm-function",
        environment: { internet: message.internet },
        code: { encoding: "zip", entrypoint: "main:app", ref: HASH },
        runtime: { ref: HASH, comment: "" },
        on: { http: true, persistent: message.isPersistent },
      };
    case "INSTANCE":
      return { ...common, ...machine, ...instanceOf(message, resources) };
    default:
      return { ...common, ...verifiable(resources) };
  }
}

function instanceOf(message: RandomMessage, resources: Resources): JsonObject {
  const gpu = { vendor: "NVIDIA", device_name: "x", device_class: "0300", device_id: message.device };
  return {
    environment: {
      hypervisor: "qemu",
      ...(message.isConfidential ? { trusted_execution: { policy: 1, firmware: HASH } } : {}),
    },
    rootfs: { parent: { ref: HASH }, persistence: "host", size_mib: resources.rootfsMib },
    ...(resources.gpus === 0
      ? {}
      : {
          requirements: {
            node: { node_hash: HASH },
            gpu: Array.from({ length: resources.gpus }, () => gpu),
          },
        }),
  };
}

function verifiable(resources: Resources): JsonObject {
  return {
    allow_amend: false,
    payment: { type: "credit" },
    environment: { internet: true },
    resources: { vcpus: resources.vcpus, memory: resources.memoryMib },
    runtime: { ref: HASH },
    workload: { ref: HASH, hash_tree: HASH, roothash: HASH },
    verification: {
      backend: "sev_snp",
      policy: 196_608,
      measurements: [{ platform: "sev_snp", registers: { launch: "ab".repeat(48) } }],
    },
  };
}

const AMOUNTS = ["holdAtto", "streamAttoPerSecond", "creditAttoPerSecond"] as const;
export const amountsOf = (amounts: CostAmounts): readonly bigint[] => AMOUNTS.map((name) => amounts[name]);

/** SHA-256 over every line of every bill. */
export function digestOfBills(
  definition: Pick<NetworkDefinition, "pricing" | "settings">,
  messages: readonly RandomMessage[],
): string {
  const lines = messages.flatMap((message) => {
    const { lines: all, total, paymentType } = billOf(definition, message);
    const texts = [...all, { type: "TOTAL", name: paymentType, ...total }].map((line) =>
      [line.type, line.name, ...amountsOf(line).map(formatAtto)].join(" "),
    );
    return texts;
  });
  return sha256OfText(lines.join("\n"));
}
