import { Type } from "@sinclair/typebox";
import { isAnyItemHash } from "../any-item-hash.ts";
import { fail, listOf, type Parameter } from "./parameter.ts";

/** A comma list of item hashes. */
export function itemHashList(names: readonly string[]): Parameter<readonly string[] | null> {
  return listOf<string>(names, Type.String(), (value) =>
    isAnyItemHash(value)
      ? { ok: true, value }
      : fail(
          "value_error",
          "Input should be an item hash: 64 hexadecimal digits, or a CID of version 0 or 1",
          value,
        ),
  );
}
