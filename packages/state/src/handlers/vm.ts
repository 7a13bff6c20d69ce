import { messageError } from "@twentysix/protocol";
import type { ForgottenMessage, LiveMessage, VmFact } from "../facts.ts";
import { keepFilesOf, mayForgetUsed } from "../kept-files.ts";
import { need, reject, type Stop, wait } from "../outcome.ts";
import type { PreparedMessage, SizedVolume, VmDetail, VmReference } from "../prepared.ts";
import type { StateContext } from "../rules.ts";
import { missingFacts, type Need, type World } from "../world.ts";

/**
 * May this PROGRAM, INSTANCE or V-PROGRAM be applied? Its STOREs must be known, its volumes large enough, and
 * what it replaces must allow it. Source: pyaleph `src/aleph/handlers/content/vm.py`.
 */
export function checkVm(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: VmDetail,
): Stop {
  const references = referencesToCheck(context, detail);
  const missing = missingFacts(world, vmNeeds(detail));
  if (missing.length > 0) return need(missing);
  const replacement = checkReplaces(world, context, message, detail);
  if (replacement !== null) return replacement;
  const absent = references.filter((reference) => !isResolved(world, context, reference));
  if (absent.length > 0) {
    const hashes = [...new Set(absent.map((reference) => reference.hash))];
    return wait(
      messageError("VM_VOLUME_NOT_FOUND", { errors: hashes }),
      hashes.map((hash) => `item:${hash}`),
    );
  }
  return checkSizes(world, context, detail.sizedVolumes);
}

function referencesToCheck(context: StateContext, detail: VmDetail): readonly VmReference[] {
  if (detail.kind === "V-PROGRAM" && !context.rules.vprogramReferencesChecked) return [];
  return detail.references;
}

function vmNeeds(detail: VmDetail): Need[] {
  const needs: Need[] = [];
  for (const reference of detail.references) {
    needs.push({ table: "items", key: reference.hash });
    if (reference.useLatest) needs.push({ table: "tags", key: reference.hash });
  }
  if (detail.replaces !== null) {
    needs.push({ table: "items", key: detail.replaces }, { table: "vms", key: detail.replaces });
    needs.push({ table: "vmVersions", key: detail.replaces });
  }
  return needs;
}

/**
 * `use_latest` asks for the tag of that name, otherwise the STORE itself must be there. Under canonical order
 * a STORE that was forgotten still counts, so that a FORGET before or after the VM is all one.
 */
function isResolved(world: World, context: StateContext, reference: VmReference): boolean {
  const live = world.live(reference.hash);
  if (context.rules.canonicalOrder) {
    const forgotten = world.forgotten(reference.hash);
    if (live !== null) return live.type === "STORE" && !(reference.useLatest && live.ref !== null);
    return forgotten?.type === "STORE" && !(reference.useLatest && forgotten.revises);
  }
  if (reference.useLatest) return world.facts.tags.get(reference.hash) !== null;
  return live?.type === "STORE";
}

function checkSizes(world: World, context: StateContext, volumes: readonly SizedVolume[]): Stop {
  const parents = volumes.map((volume) => ({ volume, fileHash: parentFile(world, context, volume.parent) }));
  const missing = missingFacts(
    world,
    parents.flatMap(({ fileHash }) =>
      fileHash === null ? [] : [{ table: "files" as const, key: fileHash }],
    ),
  );
  if (missing.length > 0) return need(missing);
  const small = parents.flatMap(({ volume, fileHash }) => {
    const sizeBytes = parentSize(world, volume.parent, fileHash);
    if (BigInt(sizeBytes) <= volume.sizeBytes) return [];
    return [
      {
        volume_name: volume.name ?? "None",
        parent_ref: volume.parent.hash,
        parent_file: fileHash ?? "",
        parent_size: sizeBytes,
        volume_size: Number(volume.sizeBytes),
      },
    ];
  });
  const waits = volumes.map(({ parent }) => `item:${parent.hash}`);
  return small.length === 0 ? null : reject(messageError("VM_VOLUME_TOO_SMALL", { errors: small }), waits);
}

/**
 * The file that a parent stands for. Under canonical order it is always that of the STORE named, since the
 * newest revision depends on what has arrived.
 */
function parentFile(world: World, context: StateContext, parent: VmReference): string | null {
  const named = (world.live(parent.hash) ?? world.forgotten(parent.hash))?.contentHash ?? null;
  if (context.rules.canonicalOrder || !parent.useLatest) return named;
  return world.facts.tags.get(parent.hash)?.fileHash ?? named;
}

function parentSize(world: World, parent: VmReference, fileHash: string | null): number {
  const held = fileHash === null ? null : world.index.files.get(fileHash);
  return held?.sizeBytes ?? world.forgotten(parent.hash)?.size ?? 0;
}

function checkReplaces(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: VmDetail,
): Stop {
  const replaced = detail.replaces;
  if (replaced === null) return null;
  const live = world.live(replaced);
  const original: LiveMessage | ForgottenMessage | null =
    live ?? (context.rules.canonicalOrder ? world.forgotten(replaced) : null);
  const replaceable = context.rules.vmReplacesOwnerCheck ? detail.kind : "PROGRAM";
  const waits = [`item:${replaced}`];
  if (original === null || original.type !== replaceable) {
    return wait(messageError("VM_REF_NOT_FOUND", { errors: [replaced] }), waits);
  }
  if (context.rules.vmReplacesOwnerCheck && original.owner !== message.content.owner) {
    return reject(
      messageError("PERMISSION_DENIED", {
        errors: [`Owner ${message.content.owner} may not replace a VM of address ${original.owner}`],
      }),
      waits,
    );
  }
  const vm = world.facts.vms.get(replaced);
  if (vm === null)
    return world.forgotten(replaced)?.revises ? reject(messageError("VM_UPDATE_UPDATE", null), waits) : null;
  if (vm.original !== replaced) return reject(messageError("VM_UPDATE_UPDATE", null), waits);
  return checkAmendable(world, context, replaced, vm);
}

/*
 * Without `vmReplacesOwnerCheck` an update is an independent VM and `replaces` can name programs only, as in the
 * reference.
 */

/**
 * The current version must allow amends. Under canonical order only the original is asked, since which version
 * is current depends on what has arrived.
 */
function checkAmendable(world: World, context: StateContext, replaced: string, original: VmFact): Stop {
  const versions = context.rules.canonicalOrder ? [] : (world.index.vmVersions.get(replaced) ?? []);
  const missing = missingFacts(
    world,
    versions.map((hash) => ({ table: "vms" as const, key: hash })),
  );
  if (missing.length > 0) return need(missing);
  let current = original;
  for (const hash of versions) {
    const version = world.facts.vms.get(hash);
    if (version !== null && version.createdMicros >= current.createdMicros) current = version;
  }
  return current.allowAmend ? null : reject(messageError("VM_AMEND_NOT_ALLOWED", null), [`item:${replaced}`]);
}

/** Records the VM, what it references and which deployment it is a version of. */
export function applyVm(
  world: World,
  context: StateContext,
  message: PreparedMessage,
  detail: VmDetail,
): void {
  const hash = message.envelope.itemHash;
  const original = context.rules.vmReplacesOwnerCheck ? (detail.replaces ?? hash) : hash;
  world.facts.vms.load(hash, null);
  world.facts.vms.set(hash, {
    type: detail.kind,
    owner: message.content.owner,
    original,
    allowAmend: detail.allowAmend,
    createdMicros: message.content.timeMicros,
    triggers: detail.triggers,
    references: detail.references.map(({ hash: ref, kind }) => ({ hash: ref, kind })),
  });
  if (original !== hash) {
    const versions = world.index.vmVersions.peek(original);
    if (versions !== undefined) world.index.vmVersions.set(original, [...(versions ?? []), hash]);
  }
  for (const reference of detail.references) {
    const users = world.index.vmUsers.peek(reference.hash);
    if (users !== undefined) world.index.vmUsers.set(reference.hash, [...(users ?? []), hash]);
  }
  if (mayForgetUsed(context) && detail.references.some((one) => world.forgotten(one.hash) !== null))
    keepFilesOf(world, context, hash);
}

/** What must be known before a VM can be taken back. */
export function vmRetractionNeeds(hash: string): Need[] {
  return [
    { table: "vms", key: hash },
    { table: "vmVersions", key: hash },
  ];
}

/** Takes a VM out of the derived state. The updates of an original are the caller's to take along. */
export function retractVm(world: World, hash: string): void {
  const vm = world.facts.vms.get(hash);
  world.facts.vms.set(hash, null);
  if (vm === null) return;
  const versions = world.index.vmVersions.peek(vm.original);
  if (versions) {
    world.index.vmVersions.set(
      vm.original,
      versions.filter((version) => version !== hash),
    );
  }
  for (const reference of vm.references) {
    const users = world.index.vmUsers.peek(reference.hash);
    if (!users) continue;
    world.index.vmUsers.set(
      reference.hash,
      users.filter((user) => user !== hash),
    );
  }
}
