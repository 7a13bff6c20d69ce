import type { Version } from "./facts.ts";
import type { PreparedMessage } from "./prepared.ts";
import type { StateContext } from "./rules.ts";
import type { World } from "./world.ts";

/**
 * The date that a FORGET gives to what it hides: its envelope time as in the reference; under canonical order its
 * content time, which is signed and equal in all its copies.
 *
 * @param by the FORGET itself when it is not live yet
 */
export function forgottenDate(
  world: World,
  context: StateContext,
  forget: Version,
  by: PreparedMessage | null,
): bigint {
  if (context.rules.canonicalOrder) return forget.timeMicros;
  if (by !== null && by.envelope.itemHash === forget.hash) return by.envelope.timeMicros;
  return world.live(forget.hash)?.timeMicros ?? forget.timeMicros;
}
