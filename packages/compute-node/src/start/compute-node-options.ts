import type { Clock, Logger, Random, Timers } from "@twentysix/platform";
import type { CryptoProvider, LocalAccount } from "@twentysix/protocol";
import type { ComputeSettings } from "../compute-settings.ts";
import type { HelperCommand } from "../helper/helper-spawn.ts";
import type { StreamReader } from "../payments/streams.ts";

/** What a compute node is started with. */
export interface ComputeNodeOptions {
  /** Of the whole node; this part has the folder `compute` in it. */
  readonly dataDir: string;
  readonly apiHost: string;
  /** 0: any that is free. */
  readonly apiPort: number;
  /** Base URLs of core nodes, the first asked first; at least one. */
  readonly coreNodeUrls: readonly string[];
  readonly settings: ComputeSettings;
  /** How the host helper is started where none answers; null: somebody else starts it. */
  readonly helperCommand: HelperCommand | null;
  /** Folder of `kernel` and `initrd`; null: `images` in the folder of this part. */
  readonly imagesDir: string | null;
  /** Whether this node builds there what is missing, and from which mirror; null: it is left to the operator. */
  readonly imageBuild: { readonly mirror: string | null } | null;
  /** Where custom domains of instances are served, by the name that visitors ask for; null: not at all. 0: any free port. */
  readonly domainPorts: { readonly http: number | null; readonly tls: number | null };
  /** Signs for programs, with the public key in hexadecimal; null: they cannot sign. */
  readonly signer: { readonly account: LocalAccount; readonly publicKeyHex: string } | null;
  /** Address of this host on which forwarded ports of user networks listen. */
  readonly forwardHost: string;
  /** Keys that every instance takes, beside its owner's: for development alone. */
  readonly developerKeys: readonly string[];
  /** Machines may come from nodes with private addresses: in networks on one host. */
  readonly allowsPrivateSources: boolean;
  /** Streams of tokens; without it, machines that are paid so are refused. */
  readonly streams?: StreamReader;
  /** Version of this program. */
  readonly version: string;
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** A compute node that serves. */
export interface RunningComputeNode {
  /** `http://127.0.0.1:4020` */
  readonly apiUrl: string;
  /** null: not registered, or not found yet. */
  nodeHash(): string | null;
  /** Takes no more programs, lets running calls end, and stops; machines that are kept alive go on. */
  close(): Promise<void>;
}
