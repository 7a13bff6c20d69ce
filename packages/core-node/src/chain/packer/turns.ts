/** What decides who of several packers writes the next archive. */
export interface TurnRules {
  /** Age of the oldest unconfirmed message at which the next one in the row steps in; again so much for each after it. */
  readonly takeOverMs: number;
  /** At the begin of a turn nothing is packed for so long: the last archive of the turn before may be on its way. */
  readonly handoverMs: number;
}

export interface TurnQuestion extends TurnRules {
  /** All who may pack, in any order; null: anybody may, and nobody knows of the others. */
  readonly packers: readonly string[] | null;
  readonly self: string;
  readonly nowMs: number;
  /** When the oldest unconfirmed message came in. */
  readonly oldestMs: number;
}

const TURN_MS = 3_600_000;

/**
 * Whether it is for `self` to pack now. The turn goes round by the hour, in the order of the addresses, so that all
 * find the same without asking each other; who does not pack in its turn is stood in for.
 */
export function mayPack(question: TurnQuestion): boolean {
  const { packers, nowMs, oldestMs, takeOverMs, handoverMs } = question;
  if (packers === null || packers.length < 2) return true;
  const order = packers.map((address) => address.toLowerCase()).sort();
  const place = order.indexOf(question.self.toLowerCase());
  if (place < 0) return false;
  const turn = Math.floor(nowMs / TURN_MS) % order.length;
  if (nowMs % TURN_MS < handoverMs) return false;
  const distance = (place - turn + order.length) % order.length;
  return nowMs - oldestMs >= distance * takeOverMs;
}
