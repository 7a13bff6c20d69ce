/** One thing that was looked at on this machine. */
export interface Finding {
  /** `qemu-img`, `kvm`, `tap` … */
  readonly name: string;
  /** `limited`: the node works without it, less well. */
  readonly state: "ok" | "limited" | "missing";
  /** What was found, or why not. */
  readonly detail: string;
  /** What to do about it; null where nothing needs doing, or can be done. */
  readonly remedy: string | null;
}
