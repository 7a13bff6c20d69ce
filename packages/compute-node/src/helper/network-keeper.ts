import { NetworkingError } from "../networking/errors.ts";
import { vmNumberOfTap } from "../networking/vm-names.ts";
import type { HostMachine } from "./host-parts.ts";
import { assertNobodyHas, makeTap, removeTap } from "./network-devices.ts";
import { attachedNetworks, deviceNames } from "./network-host.ts";
import { answerForGuest, stopAnswering } from "./network-neighbours.ts";
import { checkAgainst, checkNetwork, checkPorts, checkVmNumber } from "./network-requests.ts";
import type { HostNetwork, HostNetworkSettings } from "./network-settings.ts";
import { readNetworkState } from "./network-state.ts";
import { enableForwarding } from "./network-sysctls.ts";
import { RuleTables } from "./network-tables.ts";
import { MachineTurns } from "./network-turns.ts";

/** What is taken back after a failure must not wait for ever either. */
const CLEAN_UP_TIMEOUT_MS = 30_000;

/** The networks that shall be, and the devices and rules that follow from them. */
export class NetworkKeeper {
  readonly #settings: HostNetworkSettings;
  #missing: string | null;
  readonly #networks = new Map<number, HostNetwork>();
  readonly #tables: RuleTables;
  readonly #turns = new MachineTurns();

  /** `missing`: why this host makes no taps; null: it does. */
  constructor(settings: HostNetworkSettings, missing: string | null) {
    this.#settings = settings;
    this.#missing = missing;
    this.#tables = new RuleTables(settings, () => [...this.#networks.values()]);
  }

  /**
   * Takes over what an earlier helper made: a network is kept with its device, a device with its network. Gives why this
   * host makes no taps, which may only show now; null: it does.
   */
  async open(signal: AbortSignal): Promise<string | null> {
    if (this.#missing !== null) return this.#missing;
    try {
      await this.#takeOver(signal);
    } catch (error) {
      signal.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      this.#missing = `networks of an earlier start could not be brought in order: ${text}`;
    }
    return this.#missing;
  }

  async #takeOver(signal: AbortSignal): Promise<void> {
    const devices = await deviceNames();
    const state = await readNetworkState(this.#settings);
    for (const network of state)
      if (devices.has(network.tapName)) this.#networks.set(network.vmNumber, network);
    await stopAnswering(
      state.filter(({ tapName }) => !devices.has(tapName)),
      signal,
    );
    await this.#removeStrangers(signal);
    await this.#tables.apply();
  }

  /** @throws NetworkingError */
  async create(parameters: unknown, signal: AbortSignal): Promise<{ readonly tapName: string }> {
    this.#assertAvailable();
    const network = checkNetwork(parameters, this.#settings);
    return await this.#turns.of(network.vmNumber, () => this.#create(network, signal));
  }

  /** @throws NetworkingError */
  async setPorts(parameters: unknown): Promise<null> {
    this.#assertAvailable();
    const vmNumber = checkVmNumber(parameters);
    const { ports: given, vmHash } = parameters as { ports?: unknown; vmHash?: unknown };
    const ports = checkPorts(given);
    return await this.#turns.of(vmNumber, async () => {
      const before = this.#networks.get(vmNumber);
      if (before === undefined || before.vmHash !== vmHash) {
        throw invalid(`machine ${vmNumber} has no network of ${vmHash}: create it before its ports are set`);
      }
      const network = { ...before, ports };
      checkAgainst(network, this.#networks.values());
      this.#networks.set(vmNumber, network);
      await this.#tables.apply();
      return null;
    });
  }

  async remove(parameters: unknown, signal: AbortSignal): Promise<null> {
    if (this.#missing !== null) return null;
    const vmNumber = checkVmNumber(parameters);
    return await this.#turns.of(vmNumber, async () => {
      await this.#drop(this.#networks.get(vmNumber), signal);
      return null;
    });
  }

  /** The network of a machine whose process has ended; the one of another machine with its number stays. */
  async removeOf({ vmNumber, vmHash }: Pick<HostMachine, "vmNumber" | "vmHash">): Promise<void> {
    await this.#turns.of(vmNumber, async () => {
      const network = this.#networks.get(vmNumber);
      if (network?.vmHash === vmHash) await this.#drop(network, AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS));
    });
  }

  /** All that shall be: what is more is removed, what is less is made. Resolves to the hashes of the networks. */
  async recreate(parameters: unknown, signal: AbortSignal): Promise<readonly string[]> {
    this.#assertAvailable();
    const { networks } = (parameters ?? {}) as { networks?: unknown };
    if (!Array.isArray(networks)) throw invalid("networks must be a list");
    const wanted = networks.map((network) => checkNetwork(network, this.#settings));
    const kept = new Set(wanted.map(({ vmNumber, vmHash }) => `${vmNumber} ${vmHash}`));
    return await this.#turns.alone(async () => {
      this.#tables.distrust();
      for (const network of [...this.#networks.values()]) {
        if (!kept.has(`${network.vmNumber} ${network.vmHash}`)) await this.#drop(network, signal);
      }
      await this.#removeStrangers(signal);
      await this.#tables.apply();
      for (const network of wanted) await this.#create(network, signal);
      return wanted.map(({ vmHash }) => vmHash);
    });
  }

  /** Makes the rules anew where there are none though there are networks. Whether that was needed. */
  async restoreRules(signal: AbortSignal): Promise<boolean> {
    if (this.#networks.size === 0 || (await this.#tables.arePresent(signal))) return false;
    return await this.#turns.alone(async () => {
      if (this.#networks.size === 0) return false;
      this.#tables.distrust();
      await this.#tables.apply();
      return true;
    });
  }

  /** A machine may open its own device only. @throws NetworkingError NETWORK_REQUEST_INVALID */
  checkMachine({ vmNumber, vmHash, spec }: HostMachine): void {
    if (spec.network.kind !== "tap") return;
    const network = this.#networks.get(vmNumber);
    if (network?.tapName === spec.network.tapName && network.vmHash === vmHash) return;
    throw invalid(
      `${spec.network.tapName} is not the device of machine ${vmNumber}: create its network before it is started`,
    );
  }

  async #create(network: HostNetwork, signal: AbortSignal): Promise<{ readonly tapName: string }> {
    const attached = await attachedNetworks();
    // From here to the entry in the list nothing waits: of two that want the same, one is refused.
    checkAgainst(network, this.#networks.values());
    assertNobodyHas(network, attached);
    const before = this.#networks.get(network.vmNumber);
    this.#networks.set(network.vmNumber, network);
    try {
      await enableForwarding();
      // Rules first: there is no moment in which the device exists without them.
      await this.#tables.apply();
      if (!(await deviceNames()).has(network.tapName))
        await makeTap(network, this.#settings.machineUsers, signal);
      await answerForGuest(network, attached, this.#settings, signal);
    } catch (error) {
      if (before !== undefined) this.#networks.set(before.vmNumber, before);
      // Not with the caller's signal, which may be why it failed.
      else await this.#drop(network, AbortSignal.timeout(CLEAN_UP_TIMEOUT_MS));
      throw error;
    }
    return { tapName: network.tapName };
  }

  /** Forgets a network, removes its device, and last its rules: a device never is without them. */
  async #drop(network: HostNetwork | undefined, signal: AbortSignal): Promise<void> {
    if (network === undefined) return;
    if ((await deviceNames()).has(network.tapName)) await removeTap(network.tapName, signal);
    await stopAnswering([network], signal);
    this.#networks.delete(network.vmNumber);
    await this.#tables.apply();
  }

  /** Devices of this node that belong to no network. */
  async #removeStrangers(signal: AbortSignal): Promise<void> {
    for (const name of await deviceNames()) {
      const vmNumber = vmNumberOfTap(this.#settings.networkId, name);
      if (vmNumber !== null && !this.#networks.has(vmNumber)) await removeTap(name, signal);
    }
  }

  #assertAvailable(): void {
    if (this.#missing === null) return;
    throw new NetworkingError("NETWORK_UNAVAILABLE", `this host makes no taps: ${this.#missing}`);
  }
}

const invalid = (message: string): NetworkingError => new NetworkingError("NETWORK_REQUEST_INVALID", message);
