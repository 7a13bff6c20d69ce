import type { Testnet, TestnetOptions } from "@twentysix/testnet";

/** What `up` uses of the package that holds whole networks; loaded only by the command that starts one. */
export interface TestnetModule {
  startTestnet(options: TestnetOptions): Promise<Testnet>;
}
