import { type TSchema, type TUnion, Type } from "@sinclair/typebox";

/** What `schema` takes, or null. */
export function nullable<T extends TSchema>(schema: T): TUnion<[T, ReturnType<typeof Type.Null>]> {
  return Type.Union([schema, Type.Null()]);
}
