import type { StateRoot } from "@twentysix/storage";
import type { Checkpoint, CheckpointStatement } from "./checkpoint.ts";
import type { Welcome } from "./sync-protocol.ts";

/**
 * `same`: this node, which verified every message itself, has the root that the peer signed. `other`: one of them has
 * gone on, or has what the other one lacks. `false`: the peer signed what it cannot have.
 */
export type CheckpointVerdict = "same" | "other" | "false";

/** What this node knows when it is given a checkpoint. */
export interface CheckpointGrounds {
  readonly own: StateRoot;
  /** How the visit began that it was given at. */
  readonly welcome: Pick<Welcome, "treeSeq" | "lastSeq">;
  /** Everything that the peer told of at this visit is here. */
  readonly isComplete: boolean;
  /** What the peer signed before. */
  readonly earlier: Checkpoint | null;
}

export interface JudgedCheckpoint {
  readonly verdict: CheckpointVerdict;
  /** Why it is false. */
  readonly reason: string | null;
  /** An earlier one that contradicts it. */
  readonly contradicts: Checkpoint | null;
}

/** Holds what a peer signed against what it served, what it signed before, and what is here. */
export function judgeCheckpoint(
  statement: CheckpointStatement,
  grounds: CheckpointGrounds,
): JudgedCheckpoint {
  const { own, earlier } = grounds;
  if (earlier !== null && isTwofold(statement, earlier.statement)) {
    const reason = `it signed two roots for the place ${statement.position} of its log`;
    return { verdict: "false", reason, contradicts: earlier };
  }
  if (isNotServed(statement, grounds)) {
    const told = `${own.count} messages with the root ${own.messagesRoot}`;
    const reason = `it signed ${statement.count} messages with the root ${statement.messagesRoot}, and what it serves makes ${told} at most`;
    return { verdict: "false", reason, contradicts: null };
  }
  const verdict = statement.root === own.root ? "same" : "other";
  return { verdict, reason: null, contradicts: null };
}

/** A place of a log has one set of messages. What they derive may come later, and is left out. */
const isTwofold = (one: CheckpointStatement, other: CheckpointStatement): boolean =>
  one.position === other.position && one.messagesRoot !== other.messagesRoot;

/**
 * The peer did not move since the visit began, and everything that it tells of is here. So what is here holds all that
 * it serves, and more only if it has more messages. With no more than the peer signed for, it must have its root.
 */
function isNotServed(statement: CheckpointStatement, grounds: CheckpointGrounds): boolean {
  const { own, welcome, isComplete } = grounds;
  const stoodStill = welcome.treeSeq === welcome.lastSeq && statement.position === welcome.lastSeq;
  return (
    isComplete && stoodStill && own.count <= statement.count && own.messagesRoot !== statement.messagesRoot
  );
}
