import { Socket } from "node:net";
import type { MultiaddrConnection, Transport, Upgrader, UpgraderOptions } from "@libp2p/interface";
import { type TCPComponents, tcp } from "@libp2p/tcp";
import { afterTurn } from "@twentysix/platform";

/**
 * TCP that hands what one turn of the event loop has to say to a peer to the system at once. Each frame of each stream
 * is two buffers, which js-libp2p writes one by one: among many peers those calls are most of what a message costs.
 */
export function gatheringTcp(): (components: TCPComponents) => Transport {
  const create = tcp();
  return (components) => {
    const transport = create(components);
    const dial = transport.dial.bind(transport);
    const createListener = transport.createListener.bind(transport);
    transport.dial = (address, options) =>
      dial(address, { ...options, upgrader: gathering(options.upgrader) });
    transport.createListener = (options) =>
      createListener({ ...options, upgrader: gathering(options.upgrader) });
    return transport;
  };
}

function gathering(upgrader: Upgrader): Upgrader {
  return {
    upgradeInbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
      upgrader.upgradeInbound(gatherWrites(connection), options),
    upgradeOutbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
      upgrader.upgradeOutbound(gatherWrites(connection), options),
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
  };
}

/** The socket is no public part of a connection: one without it writes as it did. */
function gatherWrites(connection: MultiaddrConnection): MultiaddrConnection {
  if (!("socket" in connection && connection.socket instanceof Socket)) return connection;
  const { socket } = connection;
  const send = connection.send.bind(connection);
  let isGathering = false;
  connection.send = (data) => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      afterTurn(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    return send(data);
  };
  return connection;
}
