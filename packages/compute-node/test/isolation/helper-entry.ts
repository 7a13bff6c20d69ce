import {
  createPinoLogger,
  createSystemClock,
  createSystemTimers,
  listenForShutdown,
} from "@twentysix/platform";
import { defaultHelperSettings } from "../../src/helper/helper-settings.ts";
import { runHelper } from "../../src/helper/run-helper.ts";

/** The whole host helper, networks and limits included: `node helper-entry.ts FOLDER IMAGES`. */
const [, , dir, imagesDir] = process.argv;
if (dir === undefined || imagesDir === undefined) throw new Error("needs the folder and that of the images");
const clock = createSystemClock();
const closing = new AbortController();
const helper = await runHelper(
  { ...defaultHelperSettings(dir), imagesDir, ipv6Pool: "2001:db8:1:2::/64", nameServers: [] },
  { clock, timers: createSystemTimers(), log: createPinoLogger({ level: "info" }) },
  closing.signal,
);
const stop = (): void => {
  closing.abort();
  void helper[Symbol.asyncDispose]();
};
listenForShutdown({ onFirst: stop, onSecond: () => process.exit(1) }, clock);
