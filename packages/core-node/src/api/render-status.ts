import { formatIsoZ } from "@twentysix/protocol";
import type { StatusView } from "@twentysix/storage";

/** The body of the status route. */
export function renderStatus({ status, itemHash, receptionMicros }: StatusView): string {
  return `{"status":"${status}","item_hash":"${itemHash}","reception_time":"${formatIsoZ(receptionMicros)}"}`;
}
