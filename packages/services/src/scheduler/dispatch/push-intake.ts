import type { VmRecord } from "../model/vm.ts";
import type { SchedulerSettings } from "../settings.ts";
import type { Changes } from "../state/changes.ts";
import type { PushRecord } from "../state/push-record.ts";
import type { SchedulerStore } from "../state/store.ts";
import { fencesWhenSent, fencesWhenTaken } from "./fences.ts";
import type { PushAnswer } from "./push-answer.ts";
import { hashesOf, type PushList } from "./push-list.ts";

/** What follows from the answer to a list. */
export interface PushEffect {
  /** Something is decided anew. */
  readonly hasChanged: boolean;
  /** Told to the operator. */
  readonly alarm: string | null;
}

/** Writes down, before a list is sent, what the node may know of its machines from then on. */
export function noteFences(store: SchedulerStore, nodeHash: string, list: PushList): void {
  const push = store.pushOf(nodeHash);
  const fencesMs = fencesWhenSent(push, list);
  if (JSON.stringify(fencesMs) === JSON.stringify(push.fencesMs)) return;
  store.change((changes) => changes.putPush({ ...push, fencesMs }));
}

/** Brings the answer of a node into the store. */
export function takePushAnswer(
  store: SchedulerStore,
  settings: Pick<SchedulerSettings, "refusalMs" | "foreignPauseMs">,
  nodeHash: string,
  list: PushList,
  answer: Extract<PushAnswer, { kind: "taken" }>,
  nowMs: number,
): PushEffect {
  const earlier = store.pushOf(nodeHash);
  const foreign = answer.stopped.filter(
    (vmHash) => !store.vms.has(vmHash) && !earlier.acknowledged.includes(vmHash),
  );
  const isForeign = foreign.length > 0;
  const hasChanged = store.change((changes) => {
    changes.putPush({
      nodeHash,
      acknowledged: hashesOf(list),
      atMs: nowMs,
      result: answer.failing.size === 0 ? "done" : "partly",
      text: null,
      pausedUntilMs: isForeign ? nowMs + settings.foreignPauseMs : null,
      ...fencesWhenTaken(list, answer.fenced),
    });
    const wasRefusing = setRefusing(changes, nodeHash, false, nowMs);
    const machines = hashesOf(list).map((vmHash) => {
      const vm = changes.vm(vmHash);
      return vm !== null && takeForVm(changes, vm, nodeHash, answer, settings.refusalMs, nowMs);
    });
    return wasRefusing || machines.includes(true);
  });
  const text = `a node stopped machines that this scheduler does not know (${foreign.slice(0, 3).join(", ")}): another scheduler may use it; nothing is sent to it for a while`;
  return { hasChanged, alarm: isForeign ? text : null };
}

/** A failure to reach the node, its refusal, or a list that was held back. */
export function takePushFailure(
  store: SchedulerStore,
  nodeHash: string,
  result: NonNullable<PushRecord["result"]>,
  text: string,
  nowMs: number,
): boolean {
  return store.change((changes) => {
    changes.putPush({ ...store.pushOf(nodeHash), atMs: nowMs, result, text });
    return result === "refused" && setRefusing(changes, nodeHash, true, nowMs);
  });
}

export function setPushMode(store: SchedulerStore, nodeHash: string, pushMode: "v1" | "v2"): void {
  store.change((changes) => {
    const node = changes.node(nodeHash);
    if (node !== null) changes.putNode({ ...node, pushMode });
  });
}

function setRefusing(changes: Changes, nodeHash: string, isRefusing: boolean, nowMs: number): boolean {
  const node = changes.node(nodeHash);
  if (node === null || node.isRefusing === isRefusing) return false;
  changes.putNode({ ...node, isRefusing, updatedAtMs: nowMs });
  return true;
}

/** true: it is decided anew where the machine runs. */
function takeForVm(
  changes: Changes,
  vm: VmRecord,
  nodeHash: string,
  { failing }: Extract<PushAnswer, { kind: "taken" }>,
  refusalMs: number,
  nowMs: number,
): boolean {
  const text = failing.get(vm.facts.vmHash);
  const others = vm.refusals.filter((one) => one.nodeHash !== nodeHash && one.untilMs > nowMs);
  const isListed = changes.node(nodeHash)?.observations[vm.facts.vmHash]?.failure === null;
  const isRefused = text !== undefined && !isListed;
  const missing = vm.missing === null ? null : { ...vm.missing, pushes: vm.missing.pushes + 1 };
  const next: VmRecord = {
    ...vm,
    missing,
    refusals: isRefused ? [...others, { nodeHash, untilMs: nowMs + refusalMs, text }] : others,
  };
  if (missing === null && !isRefused && others.length === vm.refusals.length) return false;
  changes.putVm({ ...next, updatedAtMs: isRefused ? nowMs : vm.updatedAtMs });
  return isRefused;
}
