import { Type } from "@sinclair/typebox";
import { nullable } from "../schemas/nullable.ts";
import { ARITHMETIC_STEP, LIST_DIFFERENCE, NAMED_FILE } from "./explanation.ts";

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
  per_hour: nullable(Type.String()),
  per_day: nullable(Type.String()),
});

/** What is different since an earlier quote. The funds and the files are those of now in both. */
const SINCE_QUOTE = Type.Object({
  price_list: Type.String({ description: "Of the earlier quote." }),
  is_same: Type.Boolean({ description: "The same price list is in force." }),
  before: nullable(PRICE),
  lines: Type.Array(
    Type.Object({
      line: Type.String(),
      name: Type.String(),
      before: nullable(Type.String()),
      now: nullable(Type.String()),
      unit: Type.String(),
    }),
    { description: "Lines of the bill that come to another amount." },
  ),
  differences: Type.Array(LIST_DIFFERENCE, {
    description: "Figures of the price list that are others, the first 1,000.",
  }),
});

/** A quote. */
export const QUOTE = Type.Object({
  quote_id: Type.String({ description: "Names the price list and the content: nothing expires." }),
  price_list: Type.String({ description: "SHA-256 of prices and settings as canonical JSON." }),
  owner: Type.String(),
  payment_type: Type.String(),
  accepted: Type.Boolean({ description: "Its payment would be accepted if it were submitted now." }),
  rule: Type.Object({ name: Type.String(), says: Type.String() }),
  price: PRICE,
  files: Type.Array(NAMED_FILE),
  arithmetic: Type.Array(ARITHMETIC_STEP),
  unresolved: Type.Array(Type.String(), { description: "Files that this node does not know: not priced." }),
  changes: Type.Array(Type.String()),
  since_quote: nullable(SINCE_QUOTE),
});
