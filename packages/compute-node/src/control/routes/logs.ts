import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { assertMayAct } from "../auth/delegation.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { spacedDate } from "../http/dates.ts";
import { clientSignal, findExecution, readRef } from "../http/machine-route.ts";
import { LogListeners } from "../logs/log-listeners.ts";
import { linesOf, readLogQuery } from "../logs/log-query.ts";
import { streamLogs } from "../logs/stream-logs.ts";
import type { LogLine } from "../logs/vm-logs.ts";

/** Of one machine. */
const MAX_LISTENERS = 20;
/** Of the whole node: clients say who they are at once. */
const MAX_NEWCOMERS = 100;

/** Consoles of machines. Source: aleph-vm `views/operator.py` (stream_logs, operate_logs_json). */
export function addLogRoutes(app: FastifyInstance, services: ControlServices): void {
  const { store, ownerAuth, coreNodes, logs } = services;
  const sockets = {
    listeners: new LogListeners(MAX_LISTENERS),
    newcomers: new LogListeners(MAX_NEWCOMERS),
  };
  app.get("/control/machine/:ref/logs", async (request, reply) => {
    const vmHash = readRef(request);
    const query = readLogQuery(request);
    const caller = ownerAuth.authenticate(request);
    const record = store.lastRecord(vmHash);
    if (record === null) throw new ControlError(404, "No execution found for this VM");
    await assertMayAct(caller, record.owner, record.kind, coreNodes, clientSignal(request, reply));
    return reply
      .type("application/json; charset=utf-8")
      .send(Readable.from(logArray(linesOf(logs, vmHash, query), vmHash), { objectMode: false }));
  });
  app.get(
    "/control/machine/:ref/stream_logs",
    {
      websocket: true,
      // Before the upgrade: an unknown machine is 404.
      preValidation: async (request) => {
        findExecution(readRef(request), services);
      },
    },
    (socket, request) => {
      void streamLogs(socket, readRef(request), services, sockets);
    },
  );
}

async function* logArray(
  lines: AsyncIterable<LogLine>,
  vmHash: string,
): AsyncGenerator<string, void, undefined> {
  let separator = "[";
  for await (const { text, atMs } of lines) {
    const entry = {
      SYSLOG_IDENTIFIER: `vm-${vmHash}-stdout`,
      MESSAGE: text,
      file: "stdout",
      __REALTIME_TIMESTAMP: spacedDate(atMs),
    };
    yield `${separator}${JSON.stringify(entry)}`;
    separator = ",\n";
  }
  yield separator === "[" ? "[]" : "]";
}
