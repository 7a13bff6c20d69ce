import { Agent } from "node:http";
import type { Duplex } from "node:stream";

const MAX_FREE = 8;

/**
 * Connections to the HTTP server inside one guest, used again while it keeps them open.
 *
 * @param openConnection opens one; what it throws is the error of the request
 */
export function createGuestAgent(openConnection: () => Duplex, maxConnections: number): Agent {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: maxConnections,
    maxFreeSockets: MAX_FREE,
    scheduling: "lifo",
  });
  agent.createConnection = () => {
    const connection = openConnection();
    // As a socket does that is not half-open: when the guest has said all, so have we.
    connection.once("end", () => connection.end());
    return connection;
  };
  return agent;
}
