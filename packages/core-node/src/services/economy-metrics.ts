import { Gauge, type Registry } from "prom-client";
import type { EconomyServices } from "../api/economy/economy-services.ts";

/** Tells by which price list messages are billed now. */
export function addEconomyMetrics(
  registry: Registry,
  { pricesInForce }: Pick<EconomyServices, "pricesInForce">,
): void {
  new Gauge({
    name: "twentysix_price_list_info",
    help: "1 for the price list in force, by its name",
    labelNames: ["price_list"],
    registers: [registry],
    async collect() {
      const { hash } = await pricesInForce();
      this.reset();
      this.set({ price_list: hash }, 1);
    },
  });
}
