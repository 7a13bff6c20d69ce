import { isAbortOf, type Logger } from "@twentysix/platform";
import { isImmutableVolume, memberOf, type ProgramContent } from "@twentysix/protocol";
import type { Executions } from "../../executions/executions.ts";
import type { CoreNodeClient } from "../../messages/core-node-client.ts";
import type { FedMessage } from "../../messages/message-feed.ts";
import type { ProgramKeeper } from "./program-keeper.ts";
import type { ProgramMessages } from "./program-messages.ts";

export interface ProgramUpdatesOptions {
  readonly executions: Pick<Executions, "list" | "get">;
  readonly coreNode: Pick<CoreNodeClient, "newestFile">;
  readonly keeper: Pick<ProgramKeeper, "outdated">;
  readonly messages: Pick<ProgramMessages, "forget">;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Notices when what a running program was made of is replaced: it is stopped, and starts with the newest. */
export class ProgramUpdates {
  readonly #options: ProgramUpdatesOptions;

  constructor(options: ProgramUpdatesOptions) {
    this.#options = options;
  }

  /** A message that was processed. Returns at once, and throws nothing. */
  seen(fed: FedMessage): void {
    const { type, content } = fed.message;
    if (content === undefined) return;
    if (type === "STORE") this.#stored(memberOf(content, "ref"), fed);
    if (type === "FORGET") this.#forgotten(memberOf(content, "hashes"));
    if (type === "PROGRAM") this.#replaced(memberOf(content, "replaces"), fed);
  }

  #stored(ref: unknown, fed: FedMessage): void {
    if (typeof ref !== "string") return;
    for (const { vmHash, kind, state, content, resolved } of this.#options.executions.list()) {
      if (kind !== "program" || state !== "running" || !("code" in content) || !("code" in resolved))
        continue;
      const index = replaceableRefs(content).indexOf(ref);
      if (index === -1 || !fed.isAuthentic()) continue;
      this.#compare(vmHash, ref, allRefs(resolved)).catch((error: unknown) => {
        const { signal, log } = this.#options;
        if (!isAbortOf(signal, error))
          log.warn("whether a program has newer files is not known", { vmHash, error });
      });
    }
  }

  /** That somebody names the file does not make his the newer one: core nodes say which is. */
  async #compare(vmHash: string, ref: string, used: readonly string[]): Promise<void> {
    const { coreNode, keeper, signal } = this.#options;
    const newest = await coreNode.newestFile(ref, signal);
    if (!used.includes(newest)) keeper.outdated(vmHash);
  }

  /** Whether it was allowed is asked anew at the next request. */
  #forgotten(hashes: unknown): void {
    if (!Array.isArray(hashes)) return;
    for (const hash of hashes) if (typeof hash === "string") this.#options.messages.forget(hash);
  }

  #replaced(replaced: unknown, fed: FedMessage): void {
    if (typeof replaced !== "string") return;
    const execution = this.#options.executions.get(replaced);
    const isOfOwner =
      execution === null || execution.owner === memberOf(fed.message.content ?? {}, "address");
    if (!isOfOwner || !fed.isAuthentic()) return;
    this.#options.messages.forget(replaced);
    if (execution?.content.allow_amend === true) this.#options.keeper.outdated(replaced);
  }
}

/** Files that a newer one may take the place of. */
function replaceableRefs({ code, runtime, data, volumes }: ProgramContent): readonly string[] {
  const refs = [code, runtime, ...(data === null ? [] : [data]), ...volumes.filter(isImmutableVolume)];
  return refs.filter(({ use_latest }) => use_latest === true).map(({ ref }) => ref);
}

function allRefs({ code, runtime, data, volumes }: ProgramContent): readonly string[] {
  const refs = [code, runtime, ...(data === null ? [] : [data]), ...volumes.filter(isImmutableVolume)];
  return refs.map(({ ref }) => ref);
}
