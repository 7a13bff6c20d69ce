import { memberOf } from "@twentysix/protocol";
import type { CoreNodeClient, VmMessage } from "../../messages/core-node-client.ts";

type ProgramMessage = Extract<VmMessage, { readonly type: "PROGRAM" }>;

/** Later versions of programs: PROGRAM messages of the same owner that name the first one in `replaces`. */
export class ProgramVersions {
  readonly #coreNode: Pick<CoreNodeClient, "vmMessage" | "programsSince">;

  constructor(coreNode: Pick<CoreNodeClient, "vmMessage" | "programsSince">) {
    this.#coreNode = coreNode;
  }

  /** The newest version that is in force; the program itself where it allows none, or there is none. */
  async newest(program: ProgramMessage, signal: AbortSignal): Promise<ProgramMessage> {
    if (!program.content.allow_amend) return program;
    const { address } = program.content;
    const items = await this.#coreNode.programsSince(address, program.timeSeconds, signal);
    for (const { item_hash, content } of items) {
      if (content === undefined || memberOf(content, "replaces") !== program.itemHash) continue;
      const message = await this.#coreNode.vmMessage(item_hash, signal);
      if (message !== null && isVersionOf(message, program)) return message;
    }
    return program;
  }
}

/** Its signature was verified; what it says of itself is compared here. */
function isVersionOf(message: VmMessage, program: ProgramMessage): message is ProgramMessage {
  return (
    message.type === "PROGRAM" &&
    message.status === "processed" &&
    message.content.replaces === program.itemHash &&
    message.content.address === program.content.address
  );
}
