import { type Static, Type } from "@sinclair/typebox";
import type { JsonValue } from "@twentysix/protocol";

const TEXT = Type.String();

export const ARITHMETIC_STEP = Type.Object({
  line: TEXT,
  name: TEXT,
  formula: TEXT,
  amount: Type.String({ description: "Decimal with 18 places." }),
  unit: TEXT,
});

const RULE = Type.Object({
  name: Type.String({ description: "Stable: a program may look at it." }),
  says: TEXT,
});

/** Why a message stands as it does. */
export const EXPLANATION = Type.Object({
  item_hash: TEXT,
  status: TEXT,
  rule: RULE,
  inputs: Type.Object(
    {
      owner: Type.Optional(TEXT),
      payment_type: Type.Optional(TEXT),
      price_list: Type.Optional(
        Type.String({ description: "SHA-256 of prices and settings as canonical JSON." }),
      ),
    },
    { additionalProperties: true, description: "Everything that the rule looked at." },
  ),
  arithmetic: Type.Array(ARITHMETIC_STEP),
  changes: Type.Array(Type.String(), { description: "What would change the outcome." }),
});

export interface Explanation extends Omit<Static<typeof EXPLANATION>, "inputs"> {
  readonly inputs: Readonly<Record<string, JsonValue>>;
}
