import { Counter, Gauge, type Registry } from "prom-client";
import { addSyncMetrics } from "../sync/sync-metrics.ts";
import type { PeerFigures, Peers } from "./peers.ts";

/** Metrics of the links to other nodes. */
export function addPeerMetrics(registry: Registry, peers: Pick<Peers, "figures" | "sync">): void {
  addSyncMetrics(registry, {
    status: () => peers.sync(),
    statistics: () => peers.figures().sync,
  });
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
