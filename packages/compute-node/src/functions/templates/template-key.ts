import { createHash } from "node:crypto";

/** All on which the memory of a waiting machine depends. */
export interface TemplateTraits {
  readonly runtimeSha256: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Kernel and initial file system: path, bytes and time of each. */
  readonly images: readonly string[];
  readonly accelerator: "kvm" | "tcg";
  /** How a machine of its shape is started, which changes with this program. */
  readonly commandLine: readonly string[];
  /**
   * Of this host's boot. A resumed machine counts time with the processor that it was saved on: after a boot the host may
   * have another processor, or the same at another frequency.
   */
  readonly hostBootId: string;
}

const KEY_CHARACTERS = 32;

export function templateKey(traits: TemplateTraits): string {
  const names = Object.keys(traits).sort() as (keyof TemplateTraits)[];
  const text = JSON.stringify(names.map((name) => [name, traits[name]]));
  return createHash("sha256").update(text).digest("hex").slice(0, KEY_CHARACTERS);
}
