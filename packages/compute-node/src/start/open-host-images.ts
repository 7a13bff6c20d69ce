import type { HelperHypervisor } from "../hypervisor/helper-hypervisor.ts";
import { HostImageKeeper } from "../images/host-image-keeper.ts";
import { hostImageNoteFile } from "../images/host-image-note.ts";
import type { ComputeFolders } from "./compute-folders.ts";
import type { ComputeNodeOptions } from "./compute-node-options.ts";

/** What looks after the images of functions; what this host can do is tried anew once there is something to boot. */
export function openHostImages(
  options: ComputeNodeOptions,
  { dir, images }: ComputeFolders,
  hypervisor: HelperHypervisor,
): HostImageKeeper {
  const { imageBuild, timers, random } = options;
  const log = options.log.child({ part: "images" });
  return new HostImageKeeper({
    imagesDir: images,
    builds: imageBuild !== null,
    mirror: imageBuild?.mirror ?? null,
    noteFile: hostImageNoteFile(dir),
    onBuilt: async (signal) => {
      try {
        const { accelerator } = await hypervisor.refresh(signal);
        log.info("this host was tried with the new images", { accelerator });
      } catch (error) {
        signal.throwIfAborted();
        log.warn("this host could not be tried with the new images: start the node again", { error });
      }
    },
    ...{ timers, random, log },
  });
}
