import {
  aggregate,
  amend,
  envelope,
  evm,
  forget,
  grant,
  post,
  program,
  respelled,
  type Signed,
  signed,
  solana,
  store,
  withEnvelope,
} from "./signed.ts";
import { testFile } from "./state-harness.ts";

/** A small set of messages that are hard on each other when they arrive in the wrong order. */
export interface Scenario {
  readonly name: string;
  readonly messages: readonly Signed[];
}

/**
 * The scenarios, told apart by `variant` so that many can live in one corpus. Times are content times; the
 * lists are in the order of the story, which is one order among all that can arrive.
 */
export function scenarios(variant: number): Scenario[] {
  const owner = evm(`owner ${variant}`);
  const friend = evm(`friend ${variant}`);
  const other = solana(`other ${variant}`);
  const t = 1_700_000_000 + variant;
  const original = post(owner, t, `original ${variant}`);
  const first = amend(owner, t + 1, original.hash, "first");
  const second = amend(owner, t + 2, original.hash, "second");
  const content = JSON.stringify({
    address: owner.address,
    time: t + 0.25,
    type: "note",
    content: { shared: variant },
  });
  const byOwner = envelope(owner, "POST", content, { time: t + 0.25 });
  const byFriend = envelope(friend, "POST", content, { time: t + 0.25 });
  const file = testFile(variant % 5).hash;
  const stored = store(owner, t, file);
  const revised = store(owner, t + 1, testFile((variant + 1) % 5).hash, stored.hash);
  const machine = program(other, t + 2, stored.hash);
  const update = program(other, t + 3, stored.hash, machine.hash);
  const friendPost = (at: number): Signed =>
    post(friend, t + at, `by a friend at ${at}`, { owner: owner.address });
  const trust = (at: number): Signed => grant(owner, t + at, { address: friend.address });
  const revoke = (at: number): Signed => grant(owner, t + at);
  return [
    {
      name: "amends before their original",
      messages: [original, first, second, amend(owner, t + 3, first.hash, "of an amend")],
    },
    {
      name: "amends of one time",
      messages: [original, amend(owner, t + 1, original.hash, "a"), amend(owner, t + 1, original.hash, "b")],
    },
    {
      name: "copies that differ in what no signature covers",
      messages: [
        original,
        withEnvelope(original, { time: t + 50 }),
        withEnvelope(original, { channel: "ELSE" }),
        withEnvelope(original, { time: t - 3, channel: null }),
        respelled(original),
      ],
    },
    { name: "one hash by owner and delegate", messages: [trust(0), byOwner, byFriend, revoke(0.5)] },
    { name: "one hash by owner and stranger", messages: [byOwner, byFriend] },
    {
      name: "aggregate elements of equal and crossing times",
      messages: [
        aggregate(owner, t, "k", { a: 1, b: 1 }),
        aggregate(owner, t, "k", { a: 2 }),
        aggregate(owner, t + 1, "k", { b: 3, c: 3 }),
        aggregate(owner, t - 1, "k", { a: 0, d: 4 }),
      ],
    },
    {
      name: "a forget before its target",
      messages: [original, first, forget(owner, t + 5, [original.hash])],
    },
    {
      name: "forgets of an amend and of its original",
      messages: [original, first, forget(owner, t + 5, [original.hash]), forget(owner, t + 6, [first.hash])],
    },
    {
      name: "forgetting the newest amend",
      messages: [original, first, second, forget(owner, t + 5, [second.hash])],
    },
    {
      name: "forgetting elements of an aggregate",
      messages: [
        aggregate(owner, t, "k", { a: 1, b: 1 }),
        aggregate(owner, t + 1, "k", { a: 2 }),
        forget(owner, t + 2, [aggregate(owner, t + 1, "k", { a: 2 }).hash]),
      ],
    },
    {
      name: "forgets of forgets",
      messages: [
        original,
        forget(owner, t + 1, [original.hash]),
        forget(owner, t + 2, [forget(owner, t + 1, [original.hash]).hash]),
      ],
    },
    {
      name: "two forgets of one message",
      messages: [original, forget(owner, t + 1, [original.hash]), forget(owner, t + 2, [original.hash])],
    },
    { name: "revisions of a file", messages: [stored, revised, store(owner, t + 2, file, revised.hash)] },
    { name: "forgetting a revised file", messages: [stored, revised, forget(owner, t + 5, [stored.hash])] },
    {
      name: "named files",
      messages: [
        store(owner, t, file, "site"),
        store(owner, t + 1, testFile(3).hash, "site"),
        store(owner, t + 1, testFile(4).hash, "site"),
      ],
    },
    { name: "a machine before its file", messages: [stored, machine, update] },
    { name: "forgetting a file in use", messages: [stored, machine, forget(owner, t + 5, [stored.hash])] },
    {
      name: "forgetting a machine with updates",
      messages: [stored, machine, update, forget(other, t + 5, [machine.hash])],
    },
    { name: "a delegate before the grant", messages: [trust(0), friendPost(1), friendPost(-1)] },
    {
      name: "a delegate after the revocation",
      messages: [trust(0), revoke(2), friendPost(1), friendPost(3)],
    },
    {
      name: "a grant that is forgotten",
      messages: [trust(0), friendPost(1), forget(owner, t + 4, [trust(0).hash])],
    },
    {
      name: "a forget by a delegate whose grant is forgotten",
      messages: [
        trust(0),
        original,
        forget(friend, t + 1, [original.hash]),
        forget(owner, t + 4, [trust(0).hash]),
      ],
    },
    {
      name: "an amend by a delegate whose right ends",
      messages: [
        original,
        trust(0.1),
        amend(friend, t + 1, original.hash, "friend", { owner: owner.address }),
        revoke(0.5),
      ],
    },
    {
      name: "what the owner built on a delegate's post",
      messages: [trust(0), friendPost(1), amend(owner, t + 2, friendPost(1).hash, "owner"), revoke(0.5)],
    },
    {
      name: "a forget by a delegate",
      messages: [trust(0), original, forget(friend, t + 1, [original.hash])],
    },
    {
      name: "a forget by a delegate whose right had ended",
      messages: [trust(0), original, forget(friend, t + 2, [original.hash]), revoke(1)],
    },
    {
      name: "a delegate's forget of a post with amends, revoked",
      messages: [trust(0), original, first, forget(friend, t + 2, [original.hash]), revoke(1)],
    },
    {
      name: "forgets of one post by delegate and owner",
      messages: [
        trust(0),
        original,
        forget(friend, t + 2, [original.hash]),
        revoke(1),
        forget(owner, t + 3, [original.hash]),
      ],
    },
    {
      name: "forgetting what a delegate posted without right",
      messages: [trust(0), revoke(0.5), friendPost(1), forget(owner, t + 3, [friendPost(1).hash])],
    },
    {
      name: "a delegate's file under a machine",
      messages: [
        trust(0),
        store(friend, t + 1, file, null, { owner: owner.address }),
        program(other, t + 2, store(friend, t + 1, file, null, { owner: owner.address }).hash),
        revoke(0.5),
      ],
    },
    {
      name: "a stranger's message",
      messages: [signed(other, "POST", t, { type: "note", content: null }, { owner: owner.address })],
    },
  ];
}
