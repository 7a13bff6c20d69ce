import type { FundsVerdict, StoreClaim } from "../api/services.ts";
import type { LedgerAnswers } from "../ledger/ledger-answers.ts";

const MIB = 1024 * 1024;

/**
 * Can the owner pay for a file that is uploaded with its message? In the reference every file counts at an upload,
 * in whole MiB and whatever would make it free; where free items do not count, the gates of messages decide.
 *
 * Source: pyaleph `src/aleph/web/controllers/storage.py`.
 */
export async function checkUploadFunds(
  ledger: Pick<LedgerAnswers, "judge">,
  { freeItemsUncounted }: { readonly freeItemsUncounted: boolean },
  { sender, chain, contentText, timeMicros }: StoreClaim,
  sizeBytes: number,
): Promise<FundsVerdict> {
  const report = await ledger.judge({
    type: "STORE",
    sender,
    chain,
    contentText,
    timeMicros,
    fileSizeBytes: freeItemsUncounted ? sizeBytes : Math.ceil(sizeBytes / MIB) * MIB,
    priceList: null,
    gates: freeItemsUncounted ? "message" : "upload",
  });
  // What has no price, or is refused for another reason, is told by the outcome of the message.
  if (report === null || "unpriced" in report || report.isAccepted || report.funds === null)
    return { ok: true };
  const { required, available } = report.funds;
  const unit = report.paymentType === "credit" ? "credits" : "tokens";
  return { ok: false, unit, required, available };
}
