import { ReadError } from "@twentysix/storage";
import type { FastifyInstance } from "fastify";
import type { ApiContext } from "../context.ts";
import type { Connection } from "../live/connection.ts";
import type { ConnectionFigures } from "../live/connections.ts";
import { refusePlainGet } from "../live/upgrade-only.ts";
import { figuresJson, nodeFigures } from "../node-figures.ts";

const NOTHING = { active: 0, max: 0, rejected: 0 };
/** The sockets' own figures are 0 here: each frame would change them. */
const NO_CONNECTIONS: ConnectionFigures = { messages: NOTHING, status: NOTHING, broadcast: 0 };

/** `/api/ws0/status`: the figures of `/metrics.json` at once, and again whenever they have changed. */
export function addStatusSocketRoute(
  api: FastifyInstance,
  { services, settings, connections }: ApiContext,
): void {
  const watchers = new Set<Connection>();
  let lastSent = "";
  let cancelTimer = (): void => {};

  /** null when the figures cannot be read for now: the next time will do. */
  const current = async (): Promise<string | null> => {
    try {
      return figuresJson(services.node.version, nodeFigures(await services.status(), NO_CONNECTIONS));
    } catch (error) {
      if (error instanceof ReadError) return null;
      throw error;
    }
  };
  const tell = async (): Promise<void> => {
    const text = await current();
    if (text !== null && text !== lastSent) {
      for (const watcher of watchers) watcher.send(text);
      lastSent = text;
    }
    if (watchers.size > 0) scheduleNext();
  };
  const scheduleNext = (): void => {
    cancelTimer();
    cancelTimer = services.timers.schedule(settings.websocket.statusPeriodMs, () => void tell());
  };
  const greet = async (watcher: Connection): Promise<void> => {
    const text = await current();
    if (text === null) return;
    lastSent = text;
    watcher.send(text);
  };

  api.route({
    method: "GET",
    url: "/api/ws0/status",
    config: { cost: "point" },
    handler: refusePlainGet,
    wsHandler: (socket) => {
      const connection = connections.open("status", socket);
      if (connection === null) return;
      watchers.add(connection);
      if (watchers.size === 1) scheduleNext();
      connection.onClose(() => {
        watchers.delete(connection);
        if (watchers.size === 0) cancelTimer();
      });
      void greet(connection);
    },
  });
}
