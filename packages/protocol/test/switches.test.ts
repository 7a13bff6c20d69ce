import assert from "node:assert/strict";
import { test } from "node:test";
import {
  effectiveSwitches,
  NORMATIVE_SWITCHES,
  PROTOCOL_SWITCHES,
  type SwitchDefinition,
} from "../src/index.ts";

test("what a switch implies are switches, and hold as long as it is on", () => {
  for (const { implies = [] } of Object.values<SwitchDefinition>(PROTOCOL_SWITCHES)) {
    for (const name of implies) assert.ok(name in PROTOCOL_SWITCHES, name);
  }
  assert.deepEqual(effectiveSwitches(NORMATIVE_SWITCHES), NORMATIVE_SWITCHES);
  const ordered = effectiveSwitches({ ...NORMATIVE_SWITCHES, canonicalOrder: true });
  const turned = Object.entries(ordered).filter(([name, isOn]) => isOn && name !== "nulsRealFormat");
  assert.deepEqual(turned.map(([name]) => name).toSorted(), [
    "canonicalOrder",
    "idempotentForget",
    "ownerForgetsUsedFiles",
    "securityAggregateOwnerOnly",
    "vmReplacesOwnerCheck",
  ]);
});
