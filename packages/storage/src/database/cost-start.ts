import { EVENT_CODE } from "./codes.ts";

/**
 * From when a live message costs something: `c` is its row in `costs`, `i` its item. A message says when it begins;
 * that it began after this node had it is not believed. One that came back after it was removed begins anew, and never before it ended.
 */
export const COST_START = `CASE WHEN EXISTS (SELECT 1 FROM ended_costs AS gone WHERE gone.id = c.id)
  THEN (SELECT max(m.at_us) FROM (
    SELECT back.at_us FROM events AS back WHERE back.item_id = c.id AND back.kind = ${EVENT_CODE.processed}
    UNION ALL SELECT gone.ended_us FROM ended_costs AS gone WHERE gone.id = c.id) AS m)
  WHEN c.time_us < i.reception_us THEN c.time_us ELSE i.reception_us END`;
