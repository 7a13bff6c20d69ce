import { Counter, Gauge, type Registry } from "prom-client";

/** A figure of a part that counts for itself; null: there is none now. */
export type ReadFigure = () => number | null;

/** Metrics that are read where they are kept whenever somebody asks for them. */
export interface Figures {
  gauge(name: string, help: string, read: ReadFigure): void;
  counter(name: string, help: string, read: ReadFigure): void;
  /** One series for each value of a label, whose number is bounded. */
  gauges(name: string, help: string, label: string, read: Readonly<Record<string, ReadFigure>>): void;
}

export function createFigures(registry: Registry): Figures {
  const registers = [registry];
  return {
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          const value = read();
          if (value === null) this.remove();
          else this.set(value);
        },
      });
    },
    counter(name, help, read) {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read() ?? 0);
        },
      });
    },
    gauges(name, help, label, read) {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers,
        collect() {
          this.reset();
          for (const [value, figure] of Object.entries(read)) {
            const now = figure();
            if (now !== null) this.set({ [label]: value }, now);
          }
        },
      });
    },
  };
}
