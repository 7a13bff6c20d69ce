import { join } from "node:path";
import { lockDataDir } from "@twentysix/node/data-lock";
import { type Clock, Semaphore, type Timers } from "@twentysix/platform";
import {
  createEvmAccount,
  decodeLowerHex,
  type LocalAccount,
  type NetworkDefinition,
} from "@twentysix/protocol";
import { type RegistrationOptions, registerNodes } from "@twentysix/services";
import { accountsOf, type TestnetAccount } from "./accounts.ts";
import { childEnvironment } from "./child-environment.ts";
import { endMachines } from "./compute/end-machines.ts";
import { type CloudFacts, startCloud } from "./compute/start-cloud.ts";
import { TestnetError } from "./errors.ts";
import { messageSyncOn } from "./evm/contracts.ts";
import { type Evm, startEvm } from "./evm/start-evm.ts";
import { writeKeyFile } from "./key-file.ts";
import {
  anchoredAt,
  type KeepingRule,
  knownContract,
  testnetDefinition,
  writeNetworkFile,
} from "./network-file.ts";
import { NodeApi, type NodeFigures } from "./node-api.ts";
import { ownerOf, writeAuthoritySettings } from "./node-owners.ts";
import { peerAddressOf } from "./peer-addresses.ts";
import { type PortPlan, planPorts, takenPorts } from "./ports.ts";
import { type CoreNodeProcess, type ProductCommand, startCoreNode } from "./processes/core-node-process.ts";
import type { Ending, PartProcess } from "./processes/part-process.ts";
import { whenReady } from "./readiness.ts";

export interface TestnetOptions {
  readonly coreNodes: number;
  /** With them come a scheduler, and images for functions and instances. */
  readonly computeNodes: number;
  /** Where images are built once for every network; null: the cache of this user. */
  readonly imagesDir: string | null;
  readonly dataDir: string;
  readonly basePort: number;
  readonly keeping: KeepingRule;
  readonly logLevel: string;
  readonly command: ProductCommand;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly signal: AbortSignal;
  /** Told of a process that ended by itself, or was killed, once the network is ready. */
  readonly onEnded: (part: { readonly name: string; readonly pid: number }, how: Ending) => void;
}

/** What is told of the network once it is ready. */
export interface TestnetFacts {
  /** File of the network's definition, for further nodes. */
  readonly network: string;
  readonly core: readonly { readonly api: string; readonly p2p: string; readonly pid: number }[];
  readonly evm: { readonly rpc: string; readonly contracts: Readonly<Record<string, string>> };
  readonly accounts: readonly TestnetAccount[];
  readonly compute?: CloudFacts["compute"];
  readonly scheduler?: CloudFacts["scheduler"];
  /** Hashes of the messages of files: what programs name as their runtime. */
  readonly runtimes?: CloudFacts["runtimes"];
  /** What instances name as the parent of their root file system. */
  readonly rootfs?: CloudFacts["rootfs"];
}

/** A node at this moment. */
export interface NodeState {
  readonly name: string;
  readonly apiUrl: string;
  readonly pid: number;
  /** How it ended; null while its process runs. */
  readonly ending: Ending | null;
  /** null when it does not answer. */
  readonly figures: NodeFigures | null;
}

/** A start takes most of a processor for seconds: many at once would each take longer than a start may. */
const STARTS_AT_ONCE = 8;

/** A whole network on this machine. */
export interface Testnet {
  readonly facts: TestnetFacts;
  states(signal: AbortSignal): Promise<readonly NodeState[]>;
  close(): Promise<void>;
}

/**
 * Starts a network, or continues the one whose data stand in the folder. Resolves when all of it is ready; when it
 * cannot be, what was started is stopped again.
 *
 * @throws TestnetError, DataDirInUseError
 */
export async function startTestnet(options: TestnetOptions): Promise<Testnet> {
  const { coreNodes, computeNodes, basePort, timers } = options;
  const ports = planPorts(basePort, coreNodes, computeNodes);
  await expectFree(ports);
  // Nodes have locks of their own; the chain has none.
  const lock = lockDataDir(options.dataDir);
  const model = testnetDefinition(options.keeping);
  const networkFile = join(options.dataDir, "network.json");
  const parts: PartProcess[] = [];
  const stopAll = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.stop()));
    // Machines outlive their nodes; here nothing may stay behind.
    await endMachines(options, ports.compute.length);
    lock.release();
  };
  try {
    const evm = await startChain(options, model, ports);
    parts.push(evm.process);
    const { rpcUrl } = evm;
    const accounts = accountsOf(model);
    const packer = accountAs("packer", accounts);
    const known = knownContract(networkFile);
    const messageSync = await messageSyncOn({ ...options, rpcUrl, known });
    const definition = anchoredAt(model, messageSync, packer.address);
    await writeNetworkFile(networkFile, definition);
    const chainKeyFile = join(options.dataDir, "packer.key");
    await writeKeyFile(chainKeyFile, packer.privateKey);
    const staker = createEvmAccount({
      privateKey: decodeLowerHex(accountAs("node-operator", accounts).privateKey.slice(2)),
    });
    const owners = ports.core.map((_, index) => ownerOf(coreDir(options, index)));
    const settingsFile = await writeAuthoritySettings(options.dataDir, definition, owners, staker);
    const places = { networkFile, rpcUrl, chainKeyFile, settingsFile };
    const nodes = await startNodes({ ...options, ...places }, definition, ports, parts);
    await whenReady({ ...options, nodes, accounts });
    await register({ definition, staker, signal: options.signal }, nodes, owners);
    const cloud =
      computeNodes === 0
        ? null
        : await startCloud({
            ...options,
            definition,
            networkFile,
            owners,
            ports,
            parts,
            core: nodes,
            accounts,
          });
    let isClosing = false;
    for (const part of parts) {
      part.ended.then((how) => {
        if (!isClosing) options.onEnded(part, how);
      });
    }
    return {
      facts: {
        network: networkFile,
        core: nodes.map(coreFacts),
        evm: { rpc: rpcUrl, contracts: { messageSync } },
        accounts,
        ...(cloud === null ? {} : cloud.facts),
      },
      states: (signal) => Promise.all(nodes.map((node) => stateOf(node, timers, signal))),
      close: () => {
        isClosing = true;
        return stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function expectFree(ports: PortPlan): Promise<void> {
  const taken = await takenPorts(ports);
  if (taken.length === 0) return;
  const message = `something listens on ${taken.join(", ")} already: stop it, or choose another --base-port`;
  throw new TestnetError("TESTNET_PORTS_TAKEN", message);
}

function startChain(options: TestnetOptions, definition: NetworkDefinition, ports: PortPlan): Promise<Evm> {
  const { dataDir, timers, signal } = options;
  const chainId = definition.chains.find(({ chain }) => chain === "ETH")?.chainId ?? null;
  return startEvm({
    port: ports.evm,
    ...(chainId === null ? {} : { chainId }),
    dataDir: join(dataDir, "evm"),
    logFile: join(dataDir, "logs", "evm.log"),
    environment: childEnvironment(options.environment),
    timers,
    signal,
  });
}

/** Where nodes find what they share. */
interface NetworkPlaces {
  readonly networkFile: string;
  readonly rpcUrl: string;
  /** Of the account that anchors. */
  readonly chainKeyFile: string;
  /** What the authority publishes. */
  readonly settingsFile: string;
}

/**
 * The first node, which is the authority, comes last: what it publishes at its start finds the others there. All that
 * started is in `parts`, whatever becomes of the rest.
 */
async function startNodes(
  options: TestnetOptions & NetworkPlaces,
  definition: NetworkDefinition,
  ports: PortPlan,
  parts: PartProcess[],
): Promise<readonly CoreNodeProcess[]> {
  const places = ports.core.map((own, index) => ({
    name: coreName(index),
    dataDir: coreDir(options, index),
    ports: own,
  }));
  const addresses = await Promise.all(
    places.map(({ dataDir, ports: { p2p } }) => peerAddressOf(join(dataDir, "keys"), p2p, definition)),
  );
  const start = async (index: number): Promise<CoreNodeProcess> => {
    const place = places[index];
    if (place === undefined) throw new RangeError(`there is no node ${index}`);
    const node = await startCoreNode({
      ...options,
      ...place,
      logFile: join(options.dataDir, "logs", `${place.name}.log`),
      network: options.networkFile,
      peers: addresses.filter((_, other) => other !== index),
      authority: index === 0 ? { ...options, faucetPort: ports.faucet } : null,
      environment: childEnvironment(options.environment),
    });
    parts.push(node.process);
    return node;
  };
  const turns = new Semaphore({ permits: STARTS_AT_ONCE, maxWaiters: places.length });
  const others = await allOrThrow(
    places.slice(1).map((_, index) => turns.run(() => start(index + 1), options.signal)),
  );
  return [await start(0), ...others];
}

const coreName = (index: number): string => `core-${index + 1}`;
const coreDir = ({ dataDir }: TestnetOptions, index: number): string => join(dataDir, coreName(index));

/** Makes the nodes known to the network, once what their owners have is known to the first. */
async function register(
  options: Omit<RegistrationOptions, "apiUrl">,
  nodes: readonly CoreNodeProcess[],
  owners: readonly LocalAccount[],
): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  const owned = nodes.flatMap(({ peerAddress, process: { name } }, index) => {
    const owner = owners[index];
    return owner === undefined ? [] : [{ name, peerAddress, owner }];
  });
  await registerNodes(owned, { ...options, apiUrl: first.apiUrl });
}

/** Waits for all of them before it fails with the first failure: nothing may start behind our back. */
async function allOrThrow<Value>(started: readonly Promise<Value>[]): Promise<readonly Value[]> {
  await Promise.allSettled(started);
  return await Promise.all(started);
}

const coreFacts = ({ apiUrl, peerAddress, process: { pid } }: CoreNodeProcess) => ({
  api: apiUrl,
  p2p: peerAddress,
  pid,
});

function accountAs(role: string, accounts: readonly TestnetAccount[]): TestnetAccount {
  const account = accounts.find((one) => one.role === role);
  if (account === undefined) throw new RangeError(`the network has no account ${role}`);
  return account;
}

async function stateOf(
  { apiUrl, process: part }: CoreNodeProcess,
  timers: Timers,
  signal: AbortSignal,
): Promise<NodeState> {
  const { name, pid } = part;
  const figures = part.ending === null ? await new NodeApi(apiUrl, timers).figures(signal) : null;
  // Read last: it may have died while it was asked.
  return { name, apiUrl, pid, ending: part.ending, figures };
}
