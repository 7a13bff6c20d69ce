import type { ScoresEvent } from "./events.ts";
import type { ComputeNodeRecord, CoreNodeRecord } from "./node-records.ts";

/** Below it a node counts as inactive. */
const ACTIVE_SCORE = 0.01;
/** Publications so close together are of one measurement: the better figures stay. */
const SAME_MEASUREMENT_BLOCKS = 10;

/** Gives the nodes that a publication lists their scores. Source: aleph-nodestatus `src/aleph_nodestatus/status.py`. */
export function applyScores(
  nodes: readonly (CoreNodeRecord | ComputeNodeRecord)[],
  { scores, height }: ScoresEvent,
  lastScoreHeight: number | null,
): void {
  const isSame =
    height !== null && lastScoreHeight !== null && height - lastScoreHeight <= SAME_MEASUREMENT_BLOCKS;
  for (const node of nodes) {
    const given = scores.get(node.hash);
    if (given === undefined) continue;
    node.score = isSame ? Math.max(node.score, given.score) : given.score;
    node.performance = isSame ? Math.max(node.performance, given.performance) : given.performance;
    node.decentralization = given.decentralization;
    node.isScored = true;
    node.inactiveSince = node.score < ACTIVE_SCORE ? (node.inactiveSince ?? height) : null;
  }
}
