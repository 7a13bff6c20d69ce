import type { NodeAnswer } from "../http/node-client.ts";
import { at, isLoose, textOf, textsOf } from "../inputs/json-reading.ts";

/** What a node says to a list. */
export type PushAnswer =
  | {
      readonly kind: "taken";
      /** Why it does not run a machine, by machine. */
      readonly failing: ReadonlyMap<string, string>;
      readonly stopped: readonly string[];
      /** What will have ended there before it may run elsewhere; null: the node knows nothing of that. */
      readonly fenced: readonly string[] | null;
    }
  /** It does not accept the signature. */
  | { readonly kind: "refused" }
  /** Another route takes its list. */
  | { readonly kind: "other_route"; readonly mode: "v1" | "v2" }
  | { readonly kind: "failed"; readonly text: string };

const MAX_HASHES = 20_000;
const MAX_ERROR_TEXT = 500;

/** Reads the answer to `POST /control/allocations` of either version. */
export function readPushAnswer({ status, json, text }: NodeAnswer, mode: "v1" | "v2"): PushAnswer {
  if (status === 401 || status === 403) return { kind: "refused" };
  if (status === 409 && at(json, "code") === "governed_by_v2_plan")
    return { kind: "other_route", mode: "v2" };
  if (mode === "v2" && (status === 404 || status === 405)) return { kind: "other_route", mode: "v1" };
  const isTaken = mode === "v2" ? status === 202 || status === 200 : [200, 207, 503].includes(status);
  if (!isTaken || !isLoose(json) || (status === 503 && !Array.isArray(json.failing))) {
    return { kind: "failed", text: `status ${status}: ${text.slice(0, MAX_ERROR_TEXT)}` };
  }
  const errors = json.errors;
  const failing = new Map<string, string>();
  for (const vmHash of textsOf(json.failing, MAX_HASHES)) {
    failing.set(vmHash, (textOf(at(errors, vmHash)) ?? "no reason given").slice(0, MAX_ERROR_TEXT));
  }
  for (const [vmHash, why] of rejected(json.rejected)) failing.set(vmHash, why.slice(0, MAX_ERROR_TEXT));
  const fenced = Array.isArray(json.fenced) ? textsOf(json.fenced, MAX_HASHES) : null;
  return { kind: "taken", failing, stopped: textsOf(json.stopped, MAX_HASHES), fenced };
}

/** Of the newer route: hashes, objects with a hash and a reason, or reasons by hash. */
function rejected(value: unknown): readonly (readonly [string, string])[] {
  if (isLoose(value)) {
    return Object.entries(value).map(
      ([vmHash, why]) => [vmHash, textOf(why) ?? JSON.stringify(why)] as const,
    );
  }
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_HASHES).flatMap((one: unknown) => {
    const vmHash = textOf(one) ?? textOf(at(one, "vm_hash")) ?? textOf(at(one, "item_hash"));
    const why = textOf(at(one, "reason")) ?? textOf(at(one, "error")) ?? textOf(at(one, "message"));
    return vmHash === null ? [] : [[vmHash, why ?? "rejected"] as const];
  });
}
