import { Counter, Gauge, type Registry } from "prom-client";
import { addSyncMetrics } from "../sync/sync-metrics.ts";
import { addGossipMetrics } from "./gossip-metrics.ts";
import type { PeerFigures, Peers } from "./peers.ts";

/** Metrics of the links to other nodes. */
export function addPeerMetrics(registry: Registry, peers: Pick<Peers, "figures" | "sync">): void {
  addSyncMetrics(registry, {
    status: () => peers.sync(),
    statistics: () => peers.figures().sync,
  });
  addGossipMetrics(registry, () => peers.figures().gossip);
  new Gauge({
    name: "twentysix_connected_peers",
    help: "Nodes that this one is connected with",
    registers: [registry],
    collect() {
      this.set(peers.figures().connected);
    },
  });
  const counter = (name: string, help: string, read: (figures: PeerFigures) => number): void => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read(peers.figures()));
      },
    });
  };
  new Counter({
    name: "twentysix_peer_faults_total",
    help: "What peers were caught at since the start",
    labelNames: ["kind"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, count] of peers.figures().faults) this.inc({ kind }, count);
    },
  });
  new Gauge({
    name: "twentysix_barred_peers",
    help: "Peers that are kept away for what they did",
    registers: [registry],
    collect() {
      this.set(peers.figures().barred);
    },
  });
  counter(
    "twentysix_possession_proofs_total",
    "Challenges of this node that were answered with a proof",
    ({ custody }) => custody?.proofs ?? 0,
  );
  counter(
    "twentysix_failed_possession_proofs_total",
    "Challenges of this node that were answered otherwise",
    ({ custody }) => custody?.failedProofs ?? 0,
  );
  counter(
    "twentysix_repairs_total",
    "Files and shards that this node should keep and got from others",
    ({ custody }) => custody?.repairs ?? 0,
  );
  counter(
    "twentysix_evictions_total",
    "Files and shards that were given up here because others have proven to keep them",
    ({ custody }) => custody?.evictions ?? 0,
  );
  counter(
    "twentysix_published_messages_total",
    "Messages that this node published since the start",
    ({ published }) => published,
  );
  counter(
    "twentysix_publication_recipients_total",
    "Peers that took one of them, added up",
    ({ recipients }) => recipients,
  );
  counter(
    "twentysix_wrong_contents_total",
    "Contents from other nodes that were not what was asked for",
    ({ wrongContents }) => wrongContents,
  );
}
