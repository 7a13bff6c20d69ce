import type { InstanceContent, JsonObject, ProgramContent } from "@twentysix/protocol";
import type { MessageObject } from "@twentysix/sdk";

/** What a compute node asks core nodes for: several are known, so that none of them alone can stop a machine. */
export interface CoreNodeClient {
  /** The message of a machine, with its signature verified here. null: no core node has it. */
  vmMessage(vmHash: string, signal: AbortSignal): Promise<VmMessage | null>;
  /** How many core nodes must say that something is gone before anything ends for it. */
  readonly neededAnswers: number;
  /**
   * Status of a message at as many core nodes as answer; several are asked before anything is stopped.
   * Empty: none answered.
   */
  statuses(hash: string, signal: AbortSignal): Promise<readonly string[]>;
  /** A key of an address's aggregate; null: there is none. @throws when no core node answers */
  aggregate(address: string, key: string, signal: AbortSignal): Promise<JsonObject | null>;
  /** Hash of the newest file that replaces this one; itself where there is none. */
  newestFile(storeHash: string, signal: AbortSignal): Promise<string>;
  /** PROGRAM messages of an owner since then, newest first, as a core node tells them: nothing of them is verified. */
  programsSince(owner: string, sinceSeconds: number, signal: AbortSignal): Promise<readonly MessageObject[]>;
  /** What it costs. Amounts are decimal texts: exact. */
  price(vmHash: string, signal: AbortSignal): Promise<VmPrice>;
  /** The same from as many core nodes as answer. @throws CoreNodesError when these are too few to stop anything by */
  allPrices(vmHash: string, signal: AbortSignal): Promise<readonly VmPrice[]>;
  balance(address: string, signal: AbortSignal): Promise<AddressFunds>;
  /** The same from as many core nodes as answer: asked before anything is stopped. */
  balances(address: string, signal: AbortSignal): Promise<readonly AddressFunds[]>;
}

export interface AddressFunds {
  /** Exact decimal text. */
  readonly tokens: string;
  readonly credits: bigint;
}

export type VmMessage =
  | (VmMessageFacts & { readonly type: "PROGRAM"; readonly content: ProgramContent })
  | (VmMessageFacts & { readonly type: "INSTANCE"; readonly content: InstanceContent });

export interface VmMessageFacts {
  readonly itemHash: string;
  readonly sender: string;
  /** processed, removing, removed, forgotten, rejected … */
  readonly status: string;
  readonly timeSeconds: number;
}

export interface VmPrice {
  readonly paymentType: "hold" | "superfluid" | "credit";
  /** A total of tokens for hold, a second's price otherwise; exact decimal text. */
  readonly cost: string;
}
