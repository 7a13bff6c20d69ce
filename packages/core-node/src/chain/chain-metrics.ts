import type { ChainFigures } from "@twentysix/storage";
import { Counter, Gauge, type Registry } from "prom-client";
import type { ChainSource } from "./chain-source.ts";
import type { Packer } from "./packer/packer.ts";

export interface ChainMetricsInput {
  readonly events: () => ChainFigures;
  readonly sources: readonly ChainSource[];
  readonly packers: readonly Pick<Packer, "packed">[];
}

/** Metrics of chains; each has its unit in its name. */
export function addChainMetrics(registry: Registry, { events, sources, packers }: ChainMetricsInput): void {
  const registers = [registry];
  const labelNames = ["chain", "source"] as const;
  new Gauge({
    name: "twentysix_chain_events",
    help: "Events of chains by what becomes of them: waiting, quarantined after many failures, refused for good",
    labelNames: ["state"],
    registers,
    collect() {
      for (const [state, count] of Object.entries(events())) this.set({ state }, count);
    },
  });
  const perSource = (name: string, help: string, read: (source: ChainSource) => number | null): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const source of sources) {
          const value = read(source);
          if (value !== null) this.set({ chain: source.chain, source: source.name }, value);
        }
      },
    });
  };
  perSource(
    "twentysix_chain_height_blocks",
    "Height that a chain was read to",
    (one) => one.figures().height,
  );
  perSource(
    "twentysix_chain_remaining_blocks",
    "Blocks that are final and were not read yet",
    (one) => one.figures().remainingBlocks,
  );
  new Counter({
    name: "twentysix_packed_archives_total",
    help: "Archives that were sent to chains since the start",
    registers,
    collect() {
      this.reset();
      for (const packer of packers) this.inc(packer.packed);
    },
  });
  new Counter({
    name: "twentysix_chain_rewinds_total",
    help: "Times since the start that blocks which had been read turned out to be no more",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const source of sources)
        this.inc({ chain: source.chain, source: source.name }, source.figures().rewinds);
    },
  });
}
