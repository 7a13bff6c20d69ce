import {
  createPinoLogger,
  createSystemClock,
  createSystemTimers,
  listenForShutdown,
} from "@twentysix/platform";
import { defaultHelperSettings } from "../../../src/helper/helper-settings.ts";
import { runHelper } from "../../../src/helper/run-helper.ts";

/** The host helper as a process of its own: `node instance-helper.ts FOLDER IMAGES IPV4-POOL [VSOCK-DEVICE]`. */
const [, , dir, imagesDir, ipv4Pool, vsockProgram] = process.argv;
if (dir === undefined || imagesDir === undefined || ipv4Pool === undefined)
  throw new Error("needs three arguments");
const clock = createSystemClock();
const closing = new AbortController();
const defaults = defaultHelperSettings(dir);
const helper = await runHelper(
  { ...defaults, imagesDir, ipv4Pool, vsockProgram: vsockProgram ?? defaults.vsockProgram },
  { clock, timers: createSystemTimers(), log: createPinoLogger({ level: "info" }) },
  closing.signal,
);
const stop = (): void => {
  closing.abort();
  void helper[Symbol.asyncDispose]();
};
listenForShutdown({ onFirst: stop, onSecond: () => process.exit(1) }, clock);
