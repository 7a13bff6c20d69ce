/** What the command line of a machine takes from this host. */
export interface HostFacts {
  readonly accelerator: "kvm" | "tcg";
  /**
   * Frequency of the host's time stamp counter, which an emulated guest sees too; null where nobody measured it. A
   * `microvm` has no clock to calibrate it against, and hangs where it has to.
   */
  readonly tscKhz: number | null;
  /** Absent or null: this host runs no confidential machines. */
  readonly sev?: SevFacts | null;
}

/** What AMD SEV takes of the addresses of guests, as the processor says. */
export interface SevFacts {
  readonly cBitPosition: number;
  readonly reducedPhysBits: number;
}

/** Files of a machine that its process has open already, by number: it needs no path, and no right to one. */
export interface OpenFiles {
  readonly kernel: number | null;
  readonly initrd: number | null;
  /** One for each drive, with what it is an overlay of. */
  readonly drives: readonly { readonly file: number; readonly backing: number | null }[];
  readonly serialLog: number;
  /** Memory of a template. */
  readonly memory: number | null;
  readonly confidential?: {
    readonly firmware: number;
    readonly session: number;
    readonly publicKey: number;
  } | null;
}
