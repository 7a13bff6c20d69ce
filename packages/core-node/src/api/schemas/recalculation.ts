import { Type } from "@sinclair/typebox";
import { nullable } from "./nullable.ts";

const TIME = Type.String({ format: "date-time" });
const ERRORS = Type.Array(Type.Object({ item_hash: Type.String(), error: Type.String() }), {
  description: "Messages that have no price; at most 100.",
});

/** A job over all messages. */
export const JOB = Type.Object({
  id: Type.Integer(),
  state: Type.Union([Type.Literal("running"), Type.Literal("done"), Type.Literal("failed")]),
  dry_run: Type.Boolean(),
  started_at: TIME,
  ended_at: nullable(TIME),
  total_messages: Type.Integer(),
  looked_at: Type.Integer(),
  recalculated_count: Type.Integer(),
  changed_count: Type.Integer({ description: "Costs that are others than before." }),
  errors: ERRORS,
});

export const JOB_STATE = Type.Object({ job: nullable(JOB) });

/** What a recalculation came to, or has come to so far. */
export const RECALCULATED = Type.Object({
  message: Type.String(),
  recalculated_count: Type.Integer(),
  total_messages: Type.Integer(),
  changed_count: Type.Integer(),
  pricing_changes_found: Type.Optional(Type.Integer()),
  errors: Type.Optional(ERRORS),
  job: Type.Optional(JOB),
});
