import {
  createPinoLogger,
  createSystemClock,
  createSystemTimers,
  listenForShutdown,
} from "@twentysix/platform";
import { startHelper } from "../../../src/helper/start-helper.ts";
import type { HostImages } from "../../../src/images/images.ts";

/** The host helper as a process of its own: `node helper-entry.ts FOLDER IMAGES KERNEL-AND-INITRD [VSOCK-DEVICE]`. */
const [, , dir, imagesFolder, images, vsockProgram] = process.argv;
if (dir === undefined || imagesFolder === undefined || images === undefined)
  throw new Error("needs three words");
const clock = createSystemClock();
const helper = await startHelper({
  dir,
  readOnlyDirs: [imagesFolder],
  qemuProgram: "qemu-system-x86_64",
  images: JSON.parse(images) as HostImages,
  ...(vsockProgram === undefined ? {} : { vsockProgram }),
  parts: async () => [],
  clock,
  timers: createSystemTimers(),
  log: createPinoLogger({ level: "info" }),
});
const stop = (): void => void helper[Symbol.asyncDispose]();
listenForShutdown({ onFirst: stop, onSecond: () => process.exit(1) }, clock);
