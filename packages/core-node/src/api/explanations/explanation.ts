import { type Static, Type } from "@sinclair/typebox";
import type { JsonValue } from "@twentysix/protocol";
import type { PointReads } from "@twentysix/storage";
import type { LedgerAnswers } from "../../ledger/ledger-answers.ts";
import { nullable } from "../schemas/nullable.ts";
import type { DownloadServices } from "../services.ts";
import type { ListDifference } from "./list-differences.ts";

const TEXT = Type.String();
const AMOUNT = Type.String({ description: "Decimal with 18 places." });
const MOMENT = Type.String({ description: "ISO 8601, UTC." });
const LIST_NAME = Type.String({ description: "SHA-256 of prices and settings as canonical JSON." });

export const ARITHMETIC_STEP = Type.Object({
  line: TEXT,
  name: TEXT,
  formula: TEXT,
  amount: AMOUNT,
  unit: TEXT,
});

export const NAMED_FILE = Type.Object({
  name: Type.String({
    description: "Of the file for a STORE, else of the STORE message that is referenced.",
  }),
  used_as: Type.String({
    description: "file, code, runtime, data, volume, rootfs, parent, workload or hash_tree.",
  }),
  file_hash: nullable(TEXT),
  size: nullable(Type.Integer({ description: "Bytes." })),
  resolved: Type.Boolean({ description: "This node knows the file." }),
  billed_mib: nullable(
    Type.String({
      description: "MiB of it that the bill counts; null: it was not known then, or is no line of its own.",
    }),
  ),
});

export const LIST_DIFFERENCE = Type.Object({
  path: TEXT,
  before: Type.Unknown(),
  now: Type.Unknown(),
});

const RULE = Type.Object({
  name: Type.String({ description: "Stable: a program may look at it." }),
  says: TEXT,
});

/** What a look at the account found for the message, the older ones of its owner served first. */
const SHORTFALL = Type.Object({
  at: MOMENT,
  available: AMOUNT,
  messages_before: Type.Integer(),
  before: AMOUNT,
  left: AMOUNT,
  needed: AMOUNT,
  short: AMOUNT,
  unit: TEXT,
});

/** By what a message was accepted, and the funds that were looked at. */
const ACCEPTANCE = Type.Object({
  rule: TEXT,
  says: TEXT,
  funds: nullable(
    Type.Object({ committed: AMOUNT, added: AMOUNT, required: AMOUNT, available: AMOUNT, unit: TEXT }),
  ),
});

const ACCOUNT = Type.Object({ tokens: TEXT, credits: TEXT, held: AMOUNT, credits_per_second: AMOUNT });

const INPUTS = Type.Object(
  {
    owner: Type.Optional(TEXT),
    payment_type: Type.Optional(TEXT),
    price_list: Type.Optional(nullable(LIST_NAME)),
    files: Type.Optional(Type.Array(NAMED_FILE)),
    account: Type.Optional(ACCOUNT),
    consumed_credits: Type.Optional(
      Type.Integer({ description: "What expenses have taken for the message so far." }),
    ),
    accepted_by: Type.Optional(nullable(ACCEPTANCE)),
    error_code: Type.Optional(Type.Integer()),
    details: Type.Optional(Type.Unknown()),
    judged_at: Type.Optional(MOMENT),
    payment_rule: Type.Optional(TEXT),
    rule_now: Type.Optional(TEXT),
    unpriced: Type.Optional(Type.String({ description: "Why the price list has no price for it." })),
    gate_seconds: Type.Optional(Type.Number({ description: "What cut-over dates were compared with." })),
    gate_time: Type.Optional(Type.Union([Type.Literal("observed"), Type.Literal("envelope")])),
    removing_since: Type.Optional(MOMENT),
    delete_by: Type.Optional(MOMENT),
    confirmed_by_a_later_publication: Type.Optional(Type.Boolean()),
    marked: Type.Optional(nullable(SHORTFALL)),
    removed_at: Type.Optional(nullable(MOMENT)),
    size: Type.Optional(nullable(Type.Integer())),
    ended: Type.Optional(SHORTFALL),
    confirmed_by: Type.Optional(Type.Object({ item_hash: TEXT, published_at: MOMENT, heard_at: MOMENT })),
    forgotten_by: Type.Optional(Type.Array(TEXT)),
  },
  {
    additionalProperties: true,
    description:
      "Everything that the rule looked at, when it was decided; of what is live its account of now.",
  },
);

/** How a refused message would be judged at this moment. */
const NOW = Type.Object({
  accepted: Type.Boolean(),
  rule: RULE,
  price_list: nullable(LIST_NAME),
  is_same_list: nullable(Type.Boolean({ description: "null: by which list it was refused was not kept." })),
  differences: Type.Array(LIST_DIFFERENCE),
  inputs: Type.Object({}, { additionalProperties: true }),
  arithmetic: Type.Array(ARITHMETIC_STEP),
});

/** Why a message stands as it does. */
export const EXPLANATION = Type.Object({
  item_hash: TEXT,
  status: TEXT,
  rule: RULE,
  inputs: INPUTS,
  arithmetic: Type.Array(ARITHMETIC_STEP, {
    description: "Of the decision: each line of the bill, and the funds.",
  }),
  now: nullable(NOW),
  changes: Type.Array(Type.String(), { description: "What would change the outcome." }),
});

type Inputs = Readonly<Record<string, JsonValue>>;

export type ExplanationNow = Omit<Static<typeof NOW>, "inputs" | "differences"> & {
  readonly inputs: Inputs;
  readonly differences: ListDifference[];
};

export type Explanation = Omit<Static<typeof EXPLANATION>, "inputs" | "now"> & {
  readonly inputs: Inputs;
  readonly now: ExplanationNow | null;
};

export type ExplanationParts = Omit<Explanation, "item_hash" | "status">;

export interface ExplanationSources {
  readonly ledger: LedgerAnswers;
  readonly reads: Pick<PointReads, "consumedCredits">;
  readonly downloads: Pick<DownloadServices, "openFile">;
  readonly signal: AbortSignal;
}

/** Of what has no sum. */
export const plainExplanation = (
  name: string,
  says: string,
  inputs: Inputs,
  changes: readonly string[],
): ExplanationParts => ({ rule: { name, says }, inputs, arithmetic: [], now: null, changes: [...changes] });
