import { formatIsoZ } from "@twentysix/protocol";
import type { MessageView } from "@twentysix/storage";
import { billSteps, fundsUnit, servedSteps } from "./arithmetic.ts";
import { type ExplanationParts, type ExplanationSources, plainExplanation } from "./explanation.ts";
import { acceptanceJson, filesJson, pricesOf, shortfallJson } from "./report-json.ts";

const SAYS =
  "the funds of its owner did not reach for it until the end of the grace, the oldest of his messages served first, and an authority had published since it was marked";
const RETURN =
  "where the network lets removed messages return: add funds, upload its file and submit it again";

/** Why a message was removed, as it was decided: what its owner has now, or prices say now, does not matter. */
export async function explainRemoved(
  view: Extract<MessageView, { status: "removed" }>,
  { ledger, reads, signal }: ExplanationSources,
): Promise<ExplanationParts> {
  const inputs = {
    removed_at: view.removedMicros === null ? null : formatIsoZ(view.removedMicros),
    size: view.sizeBytes,
  };
  const report = await ledger.ended(view.itemHash, signal);
  if (report === null) return plainExplanation(view.reason, SAYS, inputs, [RETURN]);
  const { paymentType, removal, ended, publication, runtimeSeconds } = report;
  const unit = fundsUnit(paymentType);
  const pricing = await pricesOf(ledger, report.priceList, signal);
  return {
    rule: { name: removal.reason, says: SAYS },
    inputs: {
      ...inputs,
      owner: report.owner,
      payment_type: paymentType,
      price_list: report.priceList,
      files: filesJson(report.files),
      consumed_credits: await reads.consumedCredits(view.itemHash),
      accepted_by: acceptanceJson(report),
      removing_since: formatIsoZ(removal.sinceMicros),
      delete_by: formatIsoZ(removal.deleteByMicros),
      marked: removal.marked === null ? null : shortfallJson(removal.marked, unit),
      ended: shortfallJson(ended, unit),
      confirmed_by: {
        item_hash: publication.itemHash,
        published_at: formatIsoZ(publication.publishedMicros),
        heard_at: formatIsoZ(publication.heardMicros),
      },
    },
    arithmetic: [
      ...billSteps(report.lines, report.total, paymentType, pricing),
      ...servedSteps(ended, paymentType, runtimeSeconds),
    ],
    now: null,
    changes: [
      `nothing any more; until it was removed, ${ended.short} ${unit} more would have kept it`,
      RETURN,
    ],
  };
}
