import type { Socket } from "node:net";
import type { RunningVm } from "../../hypervisor/hypervisor.ts";
import { openVsockPorts, type VsockPorts } from "../reference/vsock-ports.ts";
import type { GuestConnection } from "../transport/guest-connection.ts";

/** Who answers for a machine that has booted: our agent, or the init of its runtime, by the reference's protocol. */
export type Greeting =
  | { readonly kind: "agent"; readonly connection: GuestConnection }
  | { readonly kind: "runtime"; readonly version: string; readonly ports: VsockPorts };

/**
 * Lets a machine with vsock go on, and waits for whichever greets: which of them a runtime brings up is not known before.
 *
 * @throws what keeps both from it; the signal's reason
 */
export async function greetOnVsock(
  vm: RunningVm,
  connect: (signal: AbortSignal) => Promise<GuestConnection>,
  onApiStream: (stream: Socket) => void,
  signal: AbortSignal,
): Promise<Greeting> {
  const ports = await openVsockPorts(vm.runDir, onApiStream);
  const decided = new AbortController();
  const bounded = AbortSignal.any([signal, decided.signal]);
  try {
    await vm.qmp("cont", {}, signal);
    const agent = connect(bounded).then((connection) => ({ kind: "agent", connection }) as const);
    const runtime = ports.version(bounded).then((version) => ({ kind: "runtime", version, ports }) as const);
    // The one that did not greet is told to stop, and its end concerns nobody.
    for (const each of [agent, runtime]) each.catch(() => {});
    const greeting = await Promise.race([agent, runtime]);
    if (greeting.kind === "agent") ports[Symbol.dispose]();
    return greeting;
  } catch (error) {
    ports[Symbol.dispose]();
    throw error;
  } finally {
    decided.abort(new Error("another one has greeted"));
  }
}

/** Lets go of a guest that is of no use. */
export function dismiss(greeting: Greeting): void {
  if (greeting.kind === "agent") greeting.connection.close();
  else greeting.ports[Symbol.dispose]();
}
