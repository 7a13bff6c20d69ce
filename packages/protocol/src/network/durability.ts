import { closedObject, nullable, required } from "../content/composite-checks.ts";
import { integer } from "../content/scalar-checks.ts";
import { positive } from "./strict-checks.ts";

/** How a network keeps files. Contents of messages are kept by every node in any case. */
export type Durability = {
  /** Nodes that keep each stored file; null: all of them. */
  readonly copies: number | null;
  /** How often each copy has to be proven to those who count on it. */
  readonly auditSeconds: number;
  /** A node that is away for less than this is still counted on: nothing is copied for its sake. */
  readonly outageSeconds: number;
};

export const EVERYONE: Durability = { copies: null, auditSeconds: 3_600, outageSeconds: 600 };

export const durability = closedObject<Durability>({
  copies: required(nullable(integer({ min: 2, max: 64, strict: true }))),
  auditSeconds: required(positive),
  outageSeconds: required(positive),
});
