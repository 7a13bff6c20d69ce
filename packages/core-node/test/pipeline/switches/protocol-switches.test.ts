import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PROTOCOL_SWITCHES, type ProtocolSwitches, type SwitchName } from "@twentysix/protocol";
import { ledgerNetwork, ledgerNode } from "../../ledger/support/ledger-node.ts";
import { networkDefinition, StateHarness } from "../support/state-harness.ts";
import * as contents from "./content-cases.ts";
import * as ledger from "./ledger-cases.ts";
import * as signatures from "./signature-cases.ts";
import * as state from "./state-cases.ts";
import type { ActingSwitch } from "./switch-case.ts";

/** Every switch with a story that its two positions end differently. */
const SWITCHES: Readonly<Record<SwitchName, ActingSwitch>> = {
  anyCidV1: contents.anyCidV1,
  nulsRealFormat: signatures.nulsRealFormat,
  nulsPrintableForm: signatures.nulsPrintableForm,
  substrateHexWithoutPrefix: signatures.substrateHexWithoutPrefix,
  evmForUnverifiedChains: signatures.evmForUnverifiedChains,
  contractWallets: signatures.contractWallets,
  securityAggregateOwnerOnly: state.securityAggregateOwnerOnly,
  observedTimeGates: ledger.observedTimeGates,
  vmReplacesOwnerCheck: state.vmReplacesOwnerCheck,
  vprogramReferencesChecked: state.vprogramReferencesChecked,
  strictVProgramScalars: contents.strictVProgramScalars,
  creditInstancesWithoutNode: contents.creditInstancesWithoutNode,
  forgetAggregatesByName: contents.forgetAggregatesByName,
  idempotentForget: state.idempotentForget,
  ownerForgetsUsedFiles: state.ownerForgetsUsedFiles,
  removedMayReturn: state.removedMayReturn,
  freeItemsUncounted: ledger.freeItemsUncounted,
  overcommitSwept: ledger.overcommitSwept,
  sweepSkipsUnaffordable: ledger.sweepSkipsUnaffordable,
  transfersFullyCovered: ledger.transfersFullyCovered,
  storesDefaultToCredits: ledger.storesDefaultToCredits,
  canonicalOrder: state.canonicalOrder,
};

const cases = Object.entries(SWITCHES) as [SwitchName, ActingSwitch][];

/** How the story of a switch ends on a node of mainnet with other positions. */
async function ending(story: ActingSwitch, positions: Partial<ProtocolSwitches>): Promise<unknown> {
  await using node =
    "priced" in story
      ? await ledgerNode(ledgerNetwork("mainnet", positions))
      : await StateHarness.open(networkDefinition("mainnet", positions));
  return await story.observe(node);
}

test("every switch of a network definition has a story here", () => {
  const told = Object.keys(SWITCHES).sort();
  assert.deepEqual(told, Object.keys(PROTOCOL_SWITCHES).sort());
  for (const name of ["mainnet", "local"] as const) {
    assert.deepEqual(Object.keys(networkDefinition(name).switches).sort(), told, name);
  }
});

describe("the positions of a switch", () => {
  for (const [name, story] of cases) {
    const { on, off } = PROTOCOL_SWITCHES[name];
    test(`${name} on: ${on}`, async () => {
      assert.deepEqual(await ending(story, { [name]: true }), story.on);
    });
    test(`${name} off: ${off}`, async () => {
      assert.deepEqual(await ending(story, { [name]: false }), story.off);
    });
  }

  for (const [name, story] of cases) {
    if (!("impliedByCanonicalOrder" in story)) continue;
    test(`${name} is on with canonicalOrder, whatever its position`, async () => {
      assert.deepEqual(await ending(story, { canonicalOrder: true, [name]: false }), story.on);
    });
  }
});
