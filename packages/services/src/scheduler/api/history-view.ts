import type { HistoryRow } from "../state/events.ts";
import { timeText } from "./time-text.ts";

export const historyView = ({ id, vmHash, nodeHash, action, reason, atMs }: HistoryRow) => ({
  id,
  vm_hash: vmHash,
  node_hash: nodeHash,
  action,
  reason,
  timestamp: timeText(atMs),
});
