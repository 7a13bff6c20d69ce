import { hostImageNoteFile, readHostImageNote, readImagePlaces } from "../images/host-image-note.ts";
import type { Finding } from "./finding.ts";

/** Whether functions have a kernel to boot; where not, what the node of the folder has said of its building. */
export function hostImagesFinding(computeDir: string, defaultImagesDir: string): Finding {
  const name = "images";
  const note = readHostImageNote(hostImageNoteFile(computeDir));
  const imagesDir = note?.imagesDir ?? defaultImagesDir;
  if (note?.state === "building") return { name, state: "limited", detail: note.detail, remedy: null };
  if (readImagePlaces(imagesDir).areThere) {
    return { name, state: "ok", detail: `functions boot with those in ${imagesDir}`, remedy: null };
  }
  return {
    name,
    state: "limited",
    detail: note?.state === "missing" ? note.detail : `no function is booted: there are none in ${imagesDir}`,
    remedy: "start a node, which builds them, or run `twentysix image build`",
  };
}
