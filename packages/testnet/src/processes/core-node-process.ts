import type { Timers } from "@twentysix/platform";
import { HOST } from "../ports.ts";
import { startNodeProcess } from "./node-process.ts";
import type { PartProcess } from "./part-process.ts";

/** The product's own command line, as this machine runs it. */
export interface ProductCommand {
  readonly file: string;
  /** Those of the runtime and the script. */
  readonly args: readonly string[];
}

export interface CoreNodeOptions {
  readonly name: string;
  readonly command: ProductCommand;
  readonly dataDir: string;
  readonly logFile: string;
  readonly logLevel: string;
  readonly network: string;
  readonly ports: { readonly api: number; readonly p2p: number };
  /** Multiaddresses of the others. */
  readonly peers: readonly string[];
  /** RPC of the chain on which messages are anchored. */
  readonly rpcUrl: string;
  /** Of the authority of the network; null: it is none. */
  readonly authority: AuthorityPlaces | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timers: Pick<Timers, "schedule" | "withTimeout">;
  readonly signal: AbortSignal;
}

/** Where the faucet of an authority listens, and its files are. */
export interface AuthorityPlaces {
  readonly faucetPort: number;
  /** Of the key that anchors messages. */
  readonly chainKeyFile: string;
  readonly settingsFile: string;
}

/** A node that answers, as another process. */
export interface CoreNodeProcess {
  readonly apiUrl: string;
  /** Multiaddress with the name of the peer. */
  readonly peerAddress: string;
  readonly process: PartProcess;
}

/**
 * Starts a core node with the command that an operator starts one with, and waits until it answers.
 *
 * @throws TestnetError TESTNET_PART_ENDED
 */
export async function startCoreNode(options: CoreNodeOptions): Promise<CoreNodeProcess> {
  const { process: part, facts } = await startNodeProcess({ ...options, flags: flagsOf(options) });
  return { apiUrl: facts.api, peerAddress: facts.p2p[0] ?? "", process: part };
}

function flagsOf(options: CoreNodeOptions): readonly string[] {
  const { dataDir, logLevel, network, ports, peers, rpcUrl, authority } = options;
  return [
    ...["--data-dir", dataDir, "--network", network, "--log-level", logLevel],
    ...["--api-host", HOST, "--api-port", String(ports.api)],
    ...["--p2p-host", HOST, "--p2p-port", String(ports.p2p), "--peers", peers.join(",")],
    ...["--rpc", `ETH=${rpcUrl}`],
    // Images of whole systems are larger than what is taken from strangers.
    ...["--max-storage-upload", "4GiB"],
    ...(authority === null ? ["--roles", "ccn"] : authorityFlags(authority)),
  ];
}

function authorityFlags({ faucetPort, chainKeyFile, settingsFile }: AuthorityPlaces): readonly string[] {
  return [
    ...["--roles", "ccn,authority", "--faucet-port", String(faucetPort)],
    ...["--chain-key-file", chainKeyFile, "--authority-settings", settingsFile],
  ];
}
