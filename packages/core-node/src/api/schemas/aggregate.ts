import { Type } from "@sinclair/typebox";

const BY_KEY = Type.Record(Type.String(), Type.Unknown());
const TIME = Type.String({ format: "date-time" });

/** The aggregates of one address. */
export const AGGREGATES_OF_ADDRESS = Type.Union([
  Type.Object({
    address: Type.String(),
    data: BY_KEY,
    info: Type.Record(
      Type.String(),
      Type.Object({
        created: TIME,
        last_updated: TIME,
        original_item_hash: Type.String(),
        last_update_item_hash: Type.String(),
        first_item_hash: Type.String(),
      }),
      { description: "Empty without with_info." },
    ),
  }),
  Type.Record(Type.String(), Type.Unknown(), {
    description: "With value_only and one key: its value alone.",
  }),
]);

/** One aggregate in the list over all addresses. */
export const LISTED_AGGREGATE = Type.Object({
  address: Type.String(),
  key: Type.String(),
  content: BY_KEY,
  created: TIME,
  last_updated: TIME,
});
