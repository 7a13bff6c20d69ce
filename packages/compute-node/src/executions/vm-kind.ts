import type { VmKind } from "../networking/vm-network.ts";
import type { Execution } from "./execution.ts";

/** What a machine is by its message: its addresses follow from it, and stay when somebody else keeps it alive. */
export function vmKindOf({ kind, content }: Pick<Execution, "kind" | "content">): VmKind {
  if (kind === "instance") return "instance";
  return "on" in content && content.on.persistent === true ? "persistent_program" : "microvm";
}
