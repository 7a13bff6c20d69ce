import { Type } from "@sinclair/typebox";
import { ARITHMETIC_STEP } from "./explanation.ts";

/** What a quote is asked with. */
export const QUOTE_BODY = Type.Object({
  message: Type.Object(
    {
      type: Type.String({ description: "STORE, PROGRAM, INSTANCE or V-PROGRAM." }),
      item_content: Type.Optional(
        Type.String({ description: "The content as text, as it would be signed." }),
      ),
      content: Type.Optional(Type.Object({}, { additionalProperties: true })),
      sender: Type.Optional(Type.String()),
      chain: Type.Optional(Type.String()),
      time: Type.Optional(Type.Number({ description: "Unix seconds; now when it is not given." })),
    },
    { additionalProperties: true },
  ),
  estimated_size: Type.Optional(
    Type.Integer({ minimum: 0, description: "Bytes of the file of a STORE that this node does not hold." }),
  ),
  quote_id: Type.Optional(Type.String({ description: "An earlier quote: what changed since is told." })),
});

const PRICE = Type.Object({
  amount: Type.String(),
  unit: Type.String(),
  per_hour: Type.Union([Type.String(), Type.Null()]),
  per_day: Type.Union([Type.String(), Type.Null()]),
});

/** A quote. */
export const QUOTE = Type.Object({
  quote_id: Type.String(),
  price_list: Type.String(),
  owner: Type.String(),
  payment_type: Type.String(),
  accepted: Type.Boolean({ description: "The message would be accepted if it were submitted now." }),
  rule: Type.Object({ name: Type.String(), says: Type.String() }),
  price: PRICE,
  arithmetic: Type.Array(ARITHMETIC_STEP),
  unresolved: Type.Array(Type.String(), { description: "Files that this node does not know: not priced." }),
  changes: Type.Array(Type.String()),
  since_quote: Type.Union([
    Type.Null(),
    Type.Object({
      price_list: Type.String(),
      is_same: Type.Boolean(),
      before: Type.Union([PRICE, Type.Null()]),
      differences: Type.Array(
        Type.Object({ path: Type.String(), before: Type.Unknown(), now: Type.Unknown() }),
      ),
    }),
  ]),
});
