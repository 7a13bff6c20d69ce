import type { LiveMessage, VmFact } from "./facts.ts";
import { endGrace, unpin } from "./handlers/store.ts";
import type { StateContext } from "./rules.ts";
import { type Need, pairKey, type World } from "./world.ts";

/*
 * The owner of a file may forget it although VMs use it. Its bytes are then kept by a pin for the owner of each
 * such VM, whichever came first, the FORGET or the VM.
 */

/** May a file be forgotten that VMs use? */
export const mayForgetUsed = ({ rules }: StateContext): boolean =>
  rules.canonicalOrder || rules.ownerForgetsUsedFiles;

export const keepsForUsers = (context: StateContext, live: LiveMessage): boolean =>
  live.type === "STORE" && mayForgetUsed(context);

/** What must be known before the files kept for a VM are settled; `fileHash` is of a STORE about to be forgotten. */
export function keptFileNeeds(world: World, vm: string, fileHash: string | null): Need[] {
  const needs: Need[] = [
    { table: "vms", key: vm },
    { table: "contentPins", key: vm },
  ];
  const fact = world.facts.vms.peek(vm) ?? null;
  for (const { hash } of fact?.references ?? []) needs.push({ table: "items", key: hash });
  const files = [fileHash, ...(fact === null ? [] : forgottenFiles(world, fact))];
  return [...needs, ...files.flatMap((file) => (file === null ? [] : pinNeeds(vm, file)))];
}

/** What must be known before a VM that is about to be applied keeps files. */
export function newVmNeeds(world: World, vm: string, references: VmFact["references"]): Need[] {
  const forgotten = references.flatMap(({ hash }) => forgottenFile(world, hash));
  if (forgotten.length === 0) return [];
  return [{ table: "contentPins", key: vm }, ...forgotten.flatMap((file) => pinNeeds(vm, file))];
}

const pinNeeds = (vm: string, fileHash: string): Need[] => [
  { table: "files", key: fileHash },
  { table: "pins", key: pairKey("content", vm, fileHash) },
  { table: "pinsOf", key: fileHash },
  { table: "graces", key: fileHash },
];

const forgottenFile = (world: World, hash: string): string[] => {
  const forgotten = world.facts.items.peek(hash)?.forgotten ?? null;
  return forgotten?.type === "STORE" && forgotten.contentHash !== null ? [forgotten.contentHash] : [];
};

const forgottenFiles = (world: World, vm: VmFact): string[] => [
  ...new Set(vm.references.flatMap(({ hash }) => forgottenFile(world, hash))),
];

/** Settles what is kept for every VM that uses a STORE that has just been forgotten. */
export function keepFilesOfUsers(world: World, context: StateContext, store: string): void {
  for (const vm of new Set(world.index.vmUsers.get(store) ?? [])) keepFilesOf(world, context, vm);
}

/** Pins for the owner of a VM the forgotten files that it uses, as far as they are held, and no others. */
export function keepFilesOf(world: World, context: StateContext, vm: string): void {
  const fact = world.facts.vms.get(vm);
  if (fact === null) return;
  const wanted = forgottenFiles(world, fact).filter((file) => world.index.files.get(file) !== null);
  const pinned = (world.index.contentPins.get(vm) ?? []).filter((file) => file !== vm);
  for (const fileHash of wanted) if (!pinned.includes(fileHash)) pin(world, vm, fact, fileHash);
  for (const fileHash of pinned) {
    if (wanted.includes(fileHash)) continue;
    world.facts.pins.set(pairKey("content", vm, fileHash), null);
    unpin(world, context, fileHash);
  }
  const own = (world.index.contentPins.get(vm) ?? []).filter((file) => file === vm);
  world.index.contentPins.set(vm, [...own, ...wanted]);
}

function pin(world: World, vm: string, fact: VmFact, fileHash: string): void {
  world.facts.pins.set(pairKey("content", vm, fileHash), {
    kind: "content",
    fileHash,
    owner: fact.owner,
    ref: null,
    tag: null,
    createdMicros: fact.createdMicros,
  });
  world.index.pinsOf.set(fileHash, (world.index.pinsOf.get(fileHash) ?? 0) + 1);
  endGrace(world, fileHash);
}
