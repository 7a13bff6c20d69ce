import type { LocalAccount } from "@twentysix/protocol";
import fc from "fast-check";
import {
  aggregate,
  envelope,
  evm,
  forget,
  grant,
  instance,
  post,
  respelled,
  type Signed,
  signed,
  solana,
  store,
  withEnvelope,
} from "./signed.ts";
import { testFile } from "./state-harness.ts";

/*
 * Small sets of messages by few accounts about few things at few times, so that nearly everything touches nearly
 * everything else.
 */

const owner = evm("adversarial owner");
const delegate = evm("adversarial delegate");
const second = solana("adversarial second delegate");
const stranger = evm("adversarial stranger");
const ACCOUNTS: readonly LocalAccount[] = [owner, delegate, second, owner, delegate, stranger];
const START = 1_700_000_000;

/** One message by numbers; what `pick` points at depends on what was made before it. */
export interface Move {
  readonly kind: number;
  readonly by: number;
  readonly forOwner: boolean;
  readonly time: number;
  readonly pick: number;
  readonly other: number;
  readonly flag: boolean;
}

export const moves = (minLength: number, maxLength: number): fc.Arbitrary<Move[]> =>
  fc.array(
    fc.record({
      kind: fc.nat(15),
      by: fc.nat(ACCOUNTS.length - 1),
      forOwner: fc.boolean(),
      time: fc.nat(6),
      pick: fc.nat(15),
      other: fc.nat(15),
      flag: fc.boolean(),
    }),
    { minLength, maxLength },
  );

/** The messages that moves make, in the order of the moves; `salt` keeps sets apart that share a corpus. */
export function messagesOf(list: readonly Move[], salt = 0): Signed[] {
  const made: Signed[] = [];
  for (const move of list) made.push(messageOf(move, made, salt));
  return made;
}

function messageOf(move: Move, made: readonly Signed[], salt: number): Signed {
  const account = ACCOUNTS[move.by] ?? owner;
  const time = START + 100 * salt + move.time;
  const target = made.length === 0 ? null : (made[move.pick % made.length] ?? null);
  const options = move.forOwner ? { owner: owner.address } : {};
  const file = testFile(move.other % 3).hash;
  switch (move.kind) {
    case 0:
    case 1:
      return post(account, time, move.other % 4, options);
    case 2:
    case 3:
      return amendOf(account, time, target, move, options);
    case 4:
    case 5:
    case 6:
      return grantOf(time, move);
    case 7:
      return aggregate(account, time, "k", { [`f${move.other % 3}`]: move.pick }, options);
    case 8:
    case 9:
    case 10:
      return forgetOf(account, time, made, move, options);
    case 11:
      return namedForget(account, time, move, options);
    case 12:
      return store(account, time, file, move.flag && target !== null ? target.hash : null, options);
    case 13:
      return instance(account, time, {
        ref: target?.hash ?? file,
        sizeMib: 20_480,
        allowAmend: move.flag,
        ...options,
      });
    case 14:
      return instance(account, time, {
        ref: (made[move.other % Math.max(1, made.length)] ?? target)?.hash ?? file,
        replaces: target?.hash ?? file,
        sizeMib: 20_480,
        allowAmend: move.flag,
        ...options,
      });
    default:
      return copyOf(target, account, move, time);
  }
}

function amendOf(
  account: LocalAccount,
  time: number,
  target: Signed | null,
  move: Move,
  options: { owner?: string },
): Signed {
  const ref = target?.hash ?? testFile(9).hash;
  const content = { type: "amend", ref, content: { body: move.other % 3, tags: [`t${move.other % 3}`] } };
  return signed(account, "POST", time, content, options);
}

function grantOf(time: number, move: Move): Signed {
  const entries = [delegate, second]
    .filter((_, index) => (move.other >> index) % 2 === 1)
    .map(({ address }) => ({ address, ...(move.flag ? { types: ["POST", "AGGREGATE"] } : {}) }));
  return grant(owner, time, ...entries);
}

function forgetOf(
  account: LocalAccount,
  time: number,
  made: readonly Signed[],
  move: Move,
  options: { owner?: string },
): Signed {
  const hashes = [move.pick, move.flag ? move.other : move.pick].flatMap(
    (index) => made[index % Math.max(1, made.length)]?.hash ?? testFile(9).hash,
  );
  return forget(account, time, [...new Set(hashes)], options);
}

function namedForget(account: LocalAccount, time: number, move: Move, options: { owner?: string }): Signed {
  const names = move.other % 4 === 0 ? ["security"] : ["k"];
  return signed(account, "FORGET", time, { hashes: [], aggregates: names }, options);
}

/** Another copy of a message: other unsigned fields, another spelling, or another signer. */
function copyOf(target: Signed | null, account: LocalAccount, move: Move, time: number): Signed {
  if (target === null) return post(account, time, "copy");
  switch (move.other % 4) {
    case 0:
      return withEnvelope(target, { channel: ["ELSE", null, "AAA"][move.pick % 3] });
    case 1:
      return withEnvelope(target, { time });
    case 2:
      return move.flag ? respelled(target) : withEnvelope(target, { padding: "x".repeat(move.pick) });
    default: {
      const { type, item_content: content } = JSON.parse(target.text) as Pick<
        Parsed,
        "type" | "item_content"
      >;
      return envelope(account, type, content, { time });
    }
  }
}

interface Parsed {
  readonly type: Parameters<typeof envelope>[1];
  readonly item_content: string;
}
