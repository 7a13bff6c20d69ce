import { join } from "node:path";
import { tailOf } from "../../helper/log-files.ts";

const SHOWN_BYTES = 300;
const SEARCHED_BYTES = 65_536;
/** Our initial file system says so before it leaves. */
const OF_OWN_INIT = "twentysix: the init of the runtime goes on";

/** What a machine that failed said last on its console, for its owner; empty when it said nothing. */
export function lastWords(runDir: string): string {
  const said = tailOf(join(runDir, "serial.log"), SHOWN_BYTES)
    .replaceAll(/[\p{C}\uFFFD]+/gu, " ")
    .trim();
  return said === "" ? "" : `; its console ends with: ${said}`;
}

/** Whether a machine has booted into the init of its runtime, and not into our agent. */
export function ranOwnInit(runDir: string): boolean {
  return tailOf(join(runDir, "serial.log"), SEARCHED_BYTES).includes(OF_OWN_INIT);
}
