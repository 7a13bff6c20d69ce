import { parseArgs } from "node:util";
import type { StormSize } from "../storm-plan.ts";
import type { Asked } from "../survival/kill-nodes.ts";
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
      copies: TEXT,
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
              copies: values.everyone === true ? null : (count("copies") ?? DEFAULT_COPIES),
            },
            asked,
            ...(maxPairs === null ? {} : { maxPairs }),
          },
  };
}

/** The command that runs a seed again, with its trace. */
export function replayCommand(seed: number, { nodes, messages, stormMs }: StormSize): string {
  const storm = Math.round(stormMs / 1_000);
  return `npm run simulate -- --seed ${seed} --nodes ${nodes} --messages ${messages} --storm-seconds ${storm}`;
}
