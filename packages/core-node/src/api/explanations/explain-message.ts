import type { MessageView } from "@twentysix/storage";
import { explainLive } from "./explain-live.ts";
import { explainRejected } from "./explain-rejected.ts";
import { explainRemoved } from "./explain-removed.ts";
import {
  type Explanation,
  type ExplanationParts,
  type ExplanationSources,
  plainExplanation,
} from "./explanation.ts";

/** Why a message stands as it does: the rule, what it looked at, the sum line by line, and what would change it. */
export async function explainMessage(view: MessageView, sources: ExplanationSources): Promise<Explanation> {
  return { item_hash: view.itemHash, status: view.status, ...(await partsOf(view, sources)) };
}

async function partsOf(view: MessageView, sources: ExplanationSources): Promise<ExplanationParts> {
  switch (view.status) {
    case "processed":
    case "removing":
      return await explainLive(view.itemHash, sources);
    case "rejected":
      return await explainRejected(view, sources);
    case "removed":
      return await explainRemoved(view, sources);
    case "forgotten": {
      const inputs = { forgotten_by: view.forgottenBy };
      const changes = ["nothing: what is forgotten stays forgotten"];
      return plainExplanation("forgotten", "its owner has taken it back", inputs, changes);
    }
    case "pending": {
      const says = "it is well-formed and waits for its turn, or for something that it names";
      const changes = ["publish what it names; /api/v0/messages/{hash}/events tells what was tried"];
      return plainExplanation("pending", says, {}, changes);
    }
  }
}
