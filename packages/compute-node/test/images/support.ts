import { fileURLToPath } from "node:url";
import { createSystemTimers } from "@twentysix/platform";
import type { BuildOptions } from "../../src/images/build/build-tool.ts";

/** Images are built once for all tests of this repository, and kept over runs. */
export const IMAGES_FOLDER = fileURLToPath(new URL("../../../../.cache/images/", import.meta.url));

export function buildOptions(signal: AbortSignal): BuildOptions {
  return { timers: createSystemTimers(), signal };
}
