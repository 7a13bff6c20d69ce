import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type Clock, type Random, raceAbort, type Timers } from "@twentysix/platform";
import type { Execution } from "../../executions/execution.ts";
import { VSOCK_SOCKETS } from "../../hypervisor/command-line/vsock-sockets.ts";
import type { RunningVm } from "../../hypervisor/hypervisor.ts";
import type { GuestApi } from "../guest-api/guest-api.ts";
import type { HeldGuest } from "../guests/running-guests.ts";
import { StreamProgramGuest } from "../guests/stream-program-guest.ts";
import { keepProtocol, keptProtocol } from "../reference/kept-protocol.ts";
import { referenceConfiguration } from "../reference/reference-configuration.ts";
import { ReferenceGuest } from "../reference/reference-guest.ts";
import { referenceProgram } from "../reference/reference-program.ts";
import { openApiPort } from "../reference/vsock-ports.ts";
import { TransportError } from "../transport/errors.ts";
import { GuestConnection } from "../transport/guest-connection.ts";
import { type ConfigurationParts, configurationOf } from "./configuration.ts";
import { type Greeting, greetOnVsock } from "./guest-greeting.ts";

export interface GuestLinksServices {
  readonly guestApi: Pick<GuestApi, "serve">;
  /** The machine runs and cannot be spoken to: it is of no use. */
  readonly onLost: (vmHash: string, why: TransportError) => void;
  readonly settings: { readonly maxStreamsPerGuest: number };
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

const ADOPTION_MS = 30_000;

/** How machines of programs are spoken to: our agent on its channel, or the init of a runtime on vsock. */
export class GuestLinks {
  readonly #services: GuestLinksServices;

  constructor(services: GuestLinksServices) {
    this.#services = services;
  }

  /**
   * Waits for the guest of a machine that was started.
   *
   * @throws TransportError; the signal's reason
   */
  async greet(
    execution: Execution,
    vm: RunningVm,
    hasVsock: boolean,
    signal: AbortSignal,
  ): Promise<Greeting> {
    const onApi = this.#apiStreamsOf(execution);
    if (!hasVsock) return { kind: "agent", connection: await this.connect(vm, onApi, signal) };
    return await greetOnVsock(vm, (bounded) => this.connect(vm, onApi, bounded), onApi, signal);
  }

  /**
   * The guest once it serves the program.
   *
   * @throws TransportError GUEST_REFUSED with its reason; the signal's reason
   */
  async configure(
    execution: Execution,
    vm: RunningVm,
    greeting: Greeting,
    parts: ConfigurationParts,
    signal: AbortSignal,
  ): Promise<HeldGuest> {
    if (greeting.kind === "agent") {
      await greeting.connection.configure(await configurationOf(parts), signal);
      return this.#agentGuest(execution, vm, greeting.connection);
    }
    const { version, ports } = greeting;
    const guest = this.#runtimeGuest(vm, ports);
    await guest.configure(referenceConfiguration(version, await referenceProgram(parts)), signal);
    keepProtocol(vm.runDir, version);
    return guest;
  }

  /** null: another boot of the machine answers, which knows nothing of the program. */
  async adopt(execution: Execution, vm: RunningVm, signal: AbortSignal): Promise<HeldGuest | null> {
    const onApi = this.#apiStreamsOf(execution);
    if (keptProtocol(vm.runDir) !== null) return this.#runtimeGuest(vm, await openApiPort(vm.runDir, onApi));
    const connection = await this.#services.timers.withTimeout(
      ADOPTION_MS,
      (bounded) => this.connect(vm, onApi, bounded),
      signal,
    );
    if (connection.hello.configured === execution.vmHash) return this.#agentGuest(execution, vm, connection);
    connection.close();
    return null;
  }

  /** Our agent, once it answers. */
  connect(
    vm: RunningVm,
    onApiStream: (stream: Duplex) => void,
    signal: AbortSignal,
  ): Promise<GuestConnection> {
    const { settings, clock, timers, random } = this.#services;
    const ended = vm.exited.then(({ reason, detail }): never => {
      throw new TransportError("GUEST_CONNECTION_LOST", `the machine ended (${reason}): ${detail}`);
    });
    ended.catch(() => {});
    const socketPath = join(vm.runDir, "channel-aleph.52.sock");
    const maxStreams = settings.maxStreamsPerGuest;
    const options = { socketPath, clock, timers, random, onApiStream, maxStreams };
    const ending = new AbortController();
    const connected = GuestConnection.connect(options, AbortSignal.any([ending.signal, signal]));
    connected.catch(() => {});
    return Promise.race([raceAbort(connected, signal), ended]).catch((error: unknown) => {
      ending.abort(error);
      throw error;
    });
  }

  #agentGuest(execution: Execution, vm: RunningVm, connection: GuestConnection): HeldGuest {
    const { timers, onLost } = this.#services;
    const onApi = this.#apiStreamsOf(execution);
    return new StreamProgramGuest({
      vmHash: execution.vmHash,
      connection,
      reconnect: (signal) => this.connect(vm, onApi, signal),
      timers,
      onLost,
    });
  }

  #runtimeGuest({ vmHash, runDir }: RunningVm, api: Disposable): ReferenceGuest {
    const socketPath = join(runDir, VSOCK_SOCKETS.guest);
    return new ReferenceGuest({ vmHash, socketPath, timers: this.#services.timers, api });
  }

  #apiStreamsOf(execution: Execution): (stream: Duplex) => void {
    return (stream) => this.#services.guestApi.serve(execution, stream);
  }
}
