import {
  aggregate,
  evm,
  forget,
  grant,
  instance,
  post,
  program,
  type Signed,
  solana,
  store,
  vprogram,
} from "../support/signed.ts";
import { type StateHarness, testFile } from "../support/state-harness.ts";
import { tell, told } from "../support/told.ts";
import type { ActingSwitch } from "./switch-case.ts";

/* Switches that decide what holds beside all that was accepted before. */

const owner = evm("owner of a state");
const delegate = evm("delegate of a state");
const other = solana("another owner of a state");
const TIME = 1_700_000_000;

export const securityAggregateOwnerOnly: ActingSwitch = {
  observe(node) {
    const trust = grant(owner, TIME, { address: delegate.address });
    const authorizations = [{ address: delegate.address }, { address: other.address }];
    const rewritten = aggregate(delegate, TIME + 1, "security", { authorizations }, { owner: owner.address });
    return tell(node, trust, rewritten, forget(delegate, TIME + 2, [trust.hash]));
  },
  on: ["processed", "rejected 2", "rejected 2"],
  off: ["forgotten", "processed", "processed"],
  impliedByCanonicalOrder: true,
};

/** A STORE of a held file. */
async function held(node: StateHarness): Promise<Signed> {
  await node.hold(testFile(0));
  return store(owner, TIME, testFile(0).hash);
}

export const vmReplacesOwnerCheck: ActingSwitch = {
  async observe(node) {
    const file = await held(node);
    const original = program(owner, TIME + 1, file.hash);
    const update = program(owner, TIME + 3, file.hash, original.hash);
    const machine = { ref: file.hash, sizeMib: 20_480, allowAmend: true };
    const box = instance(owner, TIME + 1, machine);
    await tell(node, file, original, box);
    const ofAnother = program(other, TIME + 2, file.hash, original.hash);
    const ofAnUpdate = program(owner, TIME + 4, file.hash, update.hash);
    const ofTheInstance = instance(owner, TIME + 2, { ...machine, replaces: box.hash });
    await tell(node, ofAnother, update, ofAnUpdate, ofTheInstance, forget(owner, TIME + 5, [original.hash]));
    return Object.fromEntries(
      Object.entries({ ofAnother, update, ofAnUpdate, ofTheInstance }).map(([name, message]) => [
        name,
        told(node, message),
      ]),
    );
  },
  // The update goes with its original where it is a version of it.
  on: {
    ofAnother: "rejected 2",
    update: "forgotten",
    ofAnUpdate: "rejected 303",
    ofTheInstance: "processed",
  },
  off: {
    ofAnother: "processed",
    update: "processed",
    ofAnUpdate: "processed",
    ofTheInstance: "rejected 300",
  },
  impliedByCanonicalOrder: true,
};

export const vprogramReferencesChecked: ActingSwitch = {
  observe: (node) => tell(node, vprogram(owner, TIME, testFile(4).hash)),
  on: ["rejected 301"],
  off: ["processed"],
};

export const idempotentForget: ActingSwitch = {
  async observe(node) {
    const note = post(owner, TIME, "to forget twice");
    const first = forget(owner, TIME + 1, [note.hash]);
    const second = forget(owner, TIME + 2, [note.hash]);
    const outcomes = await tell(node, note, first, second);
    const by = node.view(note.hash)?.forgotten_by as readonly string[];
    return { outcomes, forgottenBy: [first, second].map(({ hash }) => by.includes(hash)) };
  },
  on: { outcomes: ["forgotten", "processed", "processed"], forgottenBy: [true, true] },
  off: { outcomes: ["forgotten", "processed", "rejected 501"], forgottenBy: [true, false] },
  impliedByCanonicalOrder: true,
};

export const ownerForgetsUsedFiles: ActingSwitch = {
  async observe(node) {
    const file = await held(node);
    const outcomes = await tell(
      node,
      file,
      program(other, TIME + 1, file.hash),
      forget(owner, TIME + 2, [file.hash]),
    );
    const keeper = [owner, other].filter(({ address }) => node.pinOwners(testFile(0).hash).includes(address));
    return { outcomes, keptFor: keeper.map(({ chain }) => chain) };
  },
  on: { outcomes: ["forgotten", "processed", "processed"], keptFor: [other.chain] },
  off: { outcomes: ["processed", "processed", "rejected 503"], keptFor: [owner.chain] },
  impliedByCanonicalOrder: true,
};

export const canonicalOrder: ActingSwitch = {
  /** The right ended at two, the delegate posted at one and at three, and the first came late. */
  async observe(node) {
    const post1 = post(delegate, TIME + 1, "within the right", { owner: owner.address });
    const post3 = post(delegate, TIME + 3, "after its end", { owner: owner.address });
    return await tell(
      node,
      grant(owner, TIME, { address: delegate.address }),
      post3,
      grant(owner, TIME + 2),
      post1,
    );
  },
  on: ["processed", "rejected 2", "processed", "processed"],
  off: ["processed", "processed", "processed", "rejected 2"],
};

export const removedMayReturn: ActingSwitch = {
  async observe(node) {
    const note = post(owner, TIME, "removed once");
    node.markRemoved(note.hash);
    return await tell(node, note);
  },
  on: ["processed"],
  off: ["removed"],
};
