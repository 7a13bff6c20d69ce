import { Type } from "@sinclair/typebox";

/** The body of every error but a 422 of parameters. */
export const ERROR_SCHEMA = Type.Object({
  error: Type.Object({
    code: Type.Union([Type.String(), Type.Integer()]),
    message: Type.String(),
    details: Type.Record(Type.String(), Type.Unknown()),
  }),
});

/** The body of a 422 of parameters. */
export const PROBLEMS_SCHEMA = Type.Array(
  Type.Object({
    type: Type.String(),
    loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
    msg: Type.String(),
    input: Type.Unknown(),
    ctx: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  }),
);
