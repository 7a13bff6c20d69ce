import { join } from "node:path";
import {
  createPinoLogger,
  createSystemClock,
  createSystemTimers,
  listenForShutdown,
} from "@twentysix/platform";
import type { HostAbilities } from "../../../src/helper/host-probe.ts";
import { startHelper } from "../../../src/helper/start-helper.ts";

/** The host helper as a process of its own: `node helper-entry.ts FOLDER IMAGES [ABILITIES]`. */
const [, , dir, images, abilities] = process.argv;
if (dir === undefined || images === undefined) throw new Error("needs the folder and that of the images");
const clock = createSystemClock();
const helper = await startHelper({
  dir,
  readOnlyDirs: [images],
  qemuProgram: "qemu-system-x86_64",
  images: { kernelPath: join(images, "kernel"), initrdPath: join(images, "initrd") },
  ...(abilities === undefined ? {} : { abilities: JSON.parse(abilities) as HostAbilities }),
  parts: async () => [],
  clock,
  timers: createSystemTimers(),
  log: createPinoLogger({ level: "info" }),
});
const stop = (): void => void helper[Symbol.asyncDispose]();
listenForShutdown({ onFirst: stop, onSecond: () => process.exit(1) }, clock);
