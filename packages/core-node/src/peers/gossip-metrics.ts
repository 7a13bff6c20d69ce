import type { GossipFigures, GossipOutcome } from "@twentysix/network";
import { Counter, Gauge, type Registry } from "prom-client";

/** By what became of a message that peers passed on, each from its first moment on. */
const OUTCOMES: readonly GossipOutcome[] = ["new", "known", "passed over", "refused"];

/** Metrics of what gossip costs and how it is held back: docs/decisions/0020-what-a-peer-may-cost.md. */
export function addGossipMetrics(registry: Registry, figures: () => GossipFigures | null): void {
  const registers = [registry];
  new Counter({
    name: "twentysix_gossip_messages_total",
    help: "Messages from peers that were looked at, by what became of them",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      const messages = figures()?.messages;
      for (const outcome of OUTCOMES)
        this.inc({ outcome: outcome.replace(" ", "_") }, messages?.get(outcome) ?? 0);
    },
  });
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        const now = figures();
        this.inc(now === null ? 0 : read(now));
      },
    });
  }
  for (const [name, help, read] of GAUGES) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const now = figures();
        this.set(now === null ? 0 : read(now));
      },
    });
  }
}

type Figure = readonly [name: string, help: string, read: (figures: GossipFigures) => number];

const COUNTERS: readonly Figure[] = [
  ["twentysix_gossip_frames_total", "Frames of gossip that peers sent", ({ frames }) => frames],
  ["twentysix_gossip_frame_bytes_total", "Bytes of these frames", ({ frameBytes }) => frameBytes],
  [
    "twentysix_gossip_held_back_total",
    "Frames and messages that had to wait for their turn",
    ({ heldBack }) => heldBack,
  ],
];

const GAUGES: readonly Figure[] = [
  ["twentysix_gossip_waiting", "Frames and messages that wait for their turn now", ({ waiting }) => waiting],
  [
    "twentysix_gossip_exhausted_peers",
    "Peers that are not read now since they have used up what one may cost",
    ({ exhaustedPeers }) => exhaustedPeers,
  ],
  [
    "twentysix_gossip_units_left",
    "Units that the gossip of all peers may cost at once; less than nothing where it has cost more",
    ({ unitsLeft }) => unitsLeft,
  ],
];
