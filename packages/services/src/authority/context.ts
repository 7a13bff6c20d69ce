import type { Clock, Logger } from "@twentysix/platform";
import type { NetworkDefinition } from "@twentysix/protocol";
import type { Connection } from "@twentysix/sdk";
import type { Publisher } from "../publishing/publisher.ts";
import type { AuthoritySettings } from "./settings.ts";

/** What the tasks of an authority share. */
export interface AuthorityContext {
  readonly definition: Pick<
    NetworkDefinition,
    "name" | "authorities" | "switches" | "pricing" | "settings" | "developmentAccounts"
  >;
  readonly settings: AuthoritySettings;
  readonly connection: Connection;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Logger;
}
