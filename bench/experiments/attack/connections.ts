import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { rawPeer } from "../../../packages/network/test/support/raw-peer.ts";
import { again, type Target, underNames } from "./attack.ts";

const AT_ONCE = 16;
const KEPT = 1_000;

/** A new name for each connection: the handshake is the dearest that a stranger can ask for. */
export async function connectionStorm(target: Target): Promise<void> {
  await target.ready();
  await underNames({ ...target, names: AT_ONCE }, async () => {
    await using _peer = await rawPeer(target.address);
    target.count(0);
  });
}

export async function idleConnections(target: Target): Promise<void> {
  await target.ready();
  const kept: unknown[] = [];
  await underNames({ ...target, names: AT_ONCE }, async () => {
    if (kept.length >= KEPT) await new Promise(() => undefined);
    kept.push(await rawPeer(target.address));
    target.count(0);
  });
}

export async function silentSockets(target: Target): Promise<void> {
  const [, , host = "", , port = ""] = target.address.split("/");
  await target.ready();
  const kept = new Set<Socket>();
  await again(async () => {
    if (kept.size >= KEPT) await new Promise((resolve) => setTimeout(resolve, 50));
    if (kept.size >= KEPT) return;
    const socket = connect({ host, port: Number(port) });
    await once(socket, "connect");
    kept.add(socket);
    target.count(0);
    for (const event of ["close", "error"] as const) socket.on(event, () => kept.delete(socket));
  });
}
