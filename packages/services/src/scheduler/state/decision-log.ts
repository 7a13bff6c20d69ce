import { hash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Plan, PlanInput } from "../planner/plan-input.ts";
import { canonicalText } from "./canonical-text.ts";
import type { SchedulerDatabase } from "./database.ts";

/** Rounds whose whole input is kept, so that anybody can make their plan again. */
const MAX_INPUTS = 500;
const MAX_ROUNDS = 50_000;

export interface LoggedRound {
  readonly id: number;
  readonly atMs: number;
  readonly inputDigest: string;
  readonly planDigest: string;
  /** Decisions that changed something. */
  readonly changes: number;
}

/** Parts of an input that are the same objects from round to round until they change. */
const KEPT: ReadonlySet<string> = new Set(["facts", "registration", "report", "capabilities"]);

/** Of equal inputs, in whatever order their lists are, the same. */
export const inputDigest = (input: PlanInput): string => hash("sha256", canonicalText(sortedInput(input)));
export const planDigest = (plan: Plan): string => hash("sha256", canonicalText(plan));

/** What was decided, from what. */
export class DecisionLog {
  readonly #database: SchedulerDatabase;

  constructor(database: SchedulerDatabase) {
    this.#database = database;
  }

  add(input: PlanInput, plan: Plan, changes: number): LoggedRound {
    const text = canonicalText(sortedInput(input), KEPT);
    const round = {
      atMs: input.nowMs,
      inputDigest: hash("sha256", text),
      planDigest: planDigest(plan),
      changes,
    };
    const id = this.#database.run(
      "INSERT INTO decisions (at_ms, input_digest, plan_digest, changes, input) VALUES (?, ?, ?, ?, ?)",
      round.atMs,
      round.inputDigest,
      round.planDigest,
      String(changes),
      gzipSync(text, { level: 1 }),
    );
    this.#database.run(
      "UPDATE decisions SET input = NULL WHERE id <= ? AND input IS NOT NULL",
      id - MAX_INPUTS,
    );
    this.#database.run("DELETE FROM decisions WHERE id <= ?", id - MAX_ROUNDS);
    return { id, ...round };
  }

  /** Rounds with their inputs, oldest first. */
  *rounds(): Generator<LoggedRound & { readonly input: PlanInput }, void, undefined> {
    for (const row of this.#database.all("SELECT * FROM decisions WHERE input IS NOT NULL ORDER BY id")) {
      const bytes = row.input;
      if (!(bytes instanceof Uint8Array)) continue;
      yield {
        id: Number(row.id),
        atMs: Number(row.at_ms),
        inputDigest: String(row.input_digest),
        planDigest: String(row.plan_digest),
        changes: Number(row.changes),
        input: JSON.parse(gunzipSync(bytes).toString("utf8")) as PlanInput,
      };
    }
  }
}

function sortedInput(input: PlanInput): PlanInput {
  return {
    ...input,
    recentFailovers: [...input.recentFailovers].sort(),
    vms: [...input.vms]
      .map((vm) => ({ ...vm, observedOn: [...vm.observedOn].sort() }))
      .sort((a, b) => (a.facts.vmHash < b.facts.vmHash ? -1 : 1)),
    nodes: [...input.nodes].sort((a, b) => (a.registration.nodeHash < b.registration.nodeHash ? -1 : 1)),
  };
}
