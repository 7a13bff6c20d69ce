import { parseArgs } from "node:util";
import type { StormSize } from "../storm-plan.ts";
import type { Asked } from "../survival/kill-nodes.ts";
import type { SurvivalSize } from "../survival/survival-size.ts";
import type { SurvivalOptions } from "../survival/survive.ts";

export interface SimulateArguments {
  /** One seed, whose trace is printed; null: many. */
  readonly seed: number | null;
  /** How many, and the first of them; null: drawn afresh. */
  readonly seeds: number;
  readonly firstSeed: number | null;
  /** Processes at once. */
  readonly jobs: number;
  readonly size: StormSize;
  /** Given: nodes are killed in place of storms. */
  readonly survival: Omit<SurvivalOptions, "seed"> | null;
}

/** Twenty nodes, as the tests of the project ask for. */
export const LARGE: StormSize = { nodes: 20, messages: 100, stormMs: 40_000 };

const TEXT = { type: "string" } as const;
const ASKED: readonly Asked[] = ["all", "keepers", "one"];
/** As the tests of the project ask for. */
const SURVIVAL = { nodes: 10, messages: 2_000, files: 300, minFileBytes: 1_000, maxFileBytes: 50_000_000 };
const DEFAULT_COPIES = 3;
/** Files from this size on are kept in shards, where there are any: as `twentysix up --durability` has it. */
const MIN_SHARDED_BYTES = 65_536;
const ERASURE = /^([1-9]\d?)\/([1-9]\d?)$/;

/** @throws TypeError, RangeError for what cannot be meant */
export function readArguments(args: readonly string[]): SimulateArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: TEXT,
      seeds: TEXT,
      "first-seed": TEXT,
      jobs: TEXT,
      nodes: TEXT,
      messages: TEXT,
      "storm-seconds": TEXT,
      survival: { type: "boolean" },
      files: TEXT,
      "max-file-bytes": TEXT,
      skew: TEXT,
      copies: TEXT,
      erasure: TEXT,
      everyone: { type: "boolean" },
      "max-pairs": TEXT,
      asked: TEXT,
    },
  });
  const count = (name: keyof typeof values): number | null => {
    const text = values[name];
    if (typeof text !== "string") return null;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`--${name}: ${text} is no number`);
    return value;
  };
  const stormSeconds = count("storm-seconds");
  const maxPairs = count("max-pairs");
  const asked = ASKED.find((one) => one === (values.asked ?? "keepers"));
  if (asked === undefined) throw new RangeError(`--asked: expected one of ${ASKED.join(", ")}`);
  return {
    seed: count("seed"),
    seeds: count("seeds") ?? 20,
    firstSeed: count("first-seed"),
    jobs: count("jobs") ?? 1,
    size: {
      nodes: count("nodes") ?? LARGE.nodes,
      messages: count("messages") ?? LARGE.messages,
      stormMs: stormSeconds === null ? LARGE.stormMs : stormSeconds * 1_000,
    },
    survival:
      values.survival !== true
        ? null
        : {
            size: {
              nodes: count("nodes") ?? SURVIVAL.nodes,
              messages: count("messages") ?? SURVIVAL.messages,
              files: count("files") ?? SURVIVAL.files,
              minFileBytes: SURVIVAL.minFileBytes,
              maxFileBytes: count("max-file-bytes") ?? SURVIVAL.maxFileBytes,
              skew: count("skew") ?? 1,
              ...durabilityOf(values.everyone === true, count("copies"), values.erasure),
            },
            asked,
            ...(maxPairs === null ? {} : { maxPairs }),
          },
  };
}

type SurvivalDurability = Pick<SurvivalSize, "copies" | "erasure">;

/** Shards survive the loss of as many nodes as the copies of small files beside them. */
function durabilityOf(
  isEveryone: boolean,
  copies: number | null,
  erasure: string | undefined,
): SurvivalDurability {
  if (erasure === undefined) return { copies: isEveryone ? null : (copies ?? DEFAULT_COPIES) };
  const [, dataShards = 0, totalShards = 0] = (ERASURE.exec(erasure) ?? []).map(Number);
  if (dataShards === 0 || totalShards <= dataShards)
    throw new RangeError(`--erasure: expected K/N such as 4/6, not ${erasure}`);
  return {
    copies: totalShards - dataShards + 1,
    erasure: { dataShards, totalShards, minFileBytes: MIN_SHARDED_BYTES },
  };
}

/** The command that runs a seed again, with its trace. */
export function replayCommand(seed: number, { nodes, messages, stormMs }: StormSize): string {
  const storm = Math.round(stormMs / 1_000);
  return `npm run simulate -- --seed ${seed} --nodes ${nodes} --messages ${messages} --storm-seconds ${storm}`;
}
