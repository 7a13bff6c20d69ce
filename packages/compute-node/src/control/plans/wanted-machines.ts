import { isItemHash } from "@twentysix/protocol";
import { objectOf } from "../auth/auth-packet.ts";
import type { SchemaProblem } from "../http/read-body.ts";

/** The complete list of what a scheduler wants to run here. */
export interface WantedMachines {
  readonly programs: readonly string[];
  readonly instances: readonly string[];
  /** What the scheduler started here and wants here no more, whatever pays for it. */
  readonly ended: readonly string[];
  /** After how long without a word of its scheduler each of these may run elsewhere; null: it says nothing of that. */
  readonly elsewhereAfterMs: ReadonlyMap<string, number> | null;
  /** The scheduler knows that many machines are no longer on the list. */
  readonly meansMassDrop: boolean;
  /** Of the newer route; null: it gave none. */
  readonly planId: string | null;
}

/** More than fit into the body of a request. */
const MAX_HASHES = 20_000;

export type WantedResult =
  | { readonly ok: true; readonly wanted: WantedMachines }
  | { readonly ok: false; readonly problems: readonly SchemaProblem[] };

/** Reads the body of an allocation; members that are not known are left aside. */
export function readWanted(body: unknown): WantedResult {
  const fields = objectOf(body);
  if (fields === null) {
    return refused({ type: "model_type", loc: [], msg: "Input should be a valid dictionary or object" });
  }
  const problems: SchemaProblem[] = [];
  const programs = readHashes(fields.persistent_vms, "persistent_vms", problems);
  const instances = readHashes(fields.instances, "instances", problems);
  const ended = readHashes(fields.ended, "ended", problems);
  const planId = fields.plan_id ?? null;
  if (planId !== null && (typeof planId !== "string" || planId.length > 128)) {
    problems.push({ type: "string_type", loc: ["plan_id"], msg: "Input should be a valid string" });
  }
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    wanted: {
      programs,
      instances,
      ended,
      elsewhereAfterMs: readTimes(fields.elsewhere_after_seconds, new Set([...programs, ...instances])),
      meansMassDrop: fields.allow_mass_drop === true,
      planId: typeof planId === "string" ? planId : null,
    },
  };
}

function readHashes(value: unknown, key: string, problems: SchemaProblem[]): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    problems.push({ type: "set_type", loc: [key], msg: "Input should be a valid set" });
    return [];
  }
  if (value.length > MAX_HASHES) {
    problems.push({ type: "too_long", loc: [key], msg: `at most ${MAX_HASHES} items` });
    return [];
  }
  const hashes: string[] = [];
  for (const [index, item] of value.entries()) {
    if (typeof item === "string" && isItemHash(item)) hashes.push(item);
    else problems.push({ type: "value_error", loc: [key, index], msg: "Input should be a valid item hash" });
  }
  return [...new Set(hashes)];
}

/** Of the machines of the list alone; what is no time is not promised, which the scheduler hears. */
function readTimes(value: unknown, listed: ReadonlySet<string>): ReadonlyMap<string, number> | null {
  if (value === undefined) return null;
  const times = Object.entries(objectOf(value) ?? {}).flatMap(([vmHash, seconds]) => {
    const isTime = typeof seconds === "number" && Number.isFinite(seconds) && listed.has(vmHash);
    return isTime ? [[vmHash, seconds * 1_000] as const] : [];
  });
  return new Map(times);
}

function refused(problem: SchemaProblem): WantedResult {
  return { ok: false, problems: [problem] };
}
