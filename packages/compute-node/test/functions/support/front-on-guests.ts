import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMemoryLogger,
  createSystemClock,
  createSystemRandom,
  createSystemTimers,
} from "@twentysix/platform";
import Fastify from "fastify";
import { Registry } from "prom-client";
import { RunningGuests } from "../../../src/functions/guests/running-guests.ts";
import { StreamProgramGuest } from "../../../src/functions/guests/stream-program-guest.ts";
import { ColdStarts } from "../../../src/functions/http/cold-start-limits.ts";
import { FunctionFront } from "../../../src/functions/http/function-front.ts";
import { registerFunctionRoutes } from "../../../src/functions/http/function-routes.ts";
import { NamedHosts } from "../../../src/functions/http/named-hosts.ts";
import { ProgramStarter } from "../../../src/functions/http/program-starter.ts";
import { ProgramMessages } from "../../../src/functions/life-cycle/program-messages.ts";
import { ProgramUsage } from "../../../src/functions/life-cycle/program-usage.ts";
import { DEFAULT_FUNCTION_SETTINGS, type FunctionSettings } from "../../../src/functions/settings.ts";
import { GuestConnection } from "../../../src/functions/transport/guest-connection.ts";
import type { VmMessage } from "../../../src/messages/core-node-client.ts";
import { createFunctionMetrics } from "../../../src/metrics/function-metrics.ts";
import { readMetrics } from "../../support/read-metrics.ts";
import type { ProgramMessage } from "./program-message.ts";
import { TestExecutions } from "./test-executions.ts";
import { startTestGuest, type TestGuest } from "./test-guest.ts";

export interface FrontOnGuests extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  readonly executions: TestExecutions;
  readonly guests: Map<string, TestGuest>;
  readonly unresponsive: string[];
  /** What an operator would count of it. */
  readonly metrics: () => Promise<ReadonlyMap<string, number>>;
  /** TXT records by name. */
  readonly records: Map<string, string>;
}

/**
 * The front on a real server; programs are HTTP servers behind agents on unix sockets.
 *
 * @param start what a start meets beside the guest: may throw
 */
export async function startFront(options: {
  readonly messages: readonly VmMessage[];
  readonly app: RequestListener;
  readonly onApp?: (server: Server) => void;
  readonly settings?: Partial<FunctionSettings>;
  readonly start?: (message: VmMessage) => Promise<void>;
  readonly newestVersion?: (message: ProgramMessage) => ProgramMessage;
}): Promise<FrontOnGuests> {
  const folder = mkdtempSync(join(tmpdir(), "front-"));
  const app = createServer(options.app).listen(0, "127.0.0.1");
  options.onApp?.(app);
  await once(app, "listening");
  const appPort = (app.address() as AddressInfo).port;
  const clock = createSystemClock();
  const timers = createSystemTimers();
  const log = createMemoryLogger();
  const closing = new AbortController();
  const running = new RunningGuests();
  const guests = new Map<string, TestGuest>();
  const connect = (socketPath: string) => (signal: AbortSignal) =>
    GuestConnection.connect(
      {
        socketPath,
        clock,
        timers,
        random: createSystemRandom(),
        onApiStream: (stream) => stream.destroy(),
        maxStreams: 500,
      },
      signal,
    );
  let count = 0;
  const executions = new TestExecutions({
    start: async ({ itemHash: vmHash }) => {
      await options.start?.(options.messages.find((message) => message.itemHash === vmHash) as VmMessage);
      count += 1;
      const path = join(folder, `${count}.sock`);
      const guest = await startTestGuest(path, { appPort });
      guests.set(vmHash, guest);
      const reconnect = connect(path);
      const connection = await reconnect(closing.signal);
      await connection.configure({ vmHash }, closing.signal);
      running.add(new StreamProgramGuest({ vmHash, connection, reconnect, timers, onLost: () => {} }));
    },
    stop: async (vmHash) => {
      running.remove(vmHash);
      await guests.get(vmHash)?.[Symbol.asyncDispose]();
    },
  });
  const settings = { ...DEFAULT_FUNCTION_SETTINGS, ...options.settings };
  const messages = new ProgramMessages({
    coreNode: {
      vmMessage: async (hash) => options.messages.find((message) => message.itemHash === hash) ?? null,
    },
    clock,
    timers,
    log,
    signal: closing.signal,
    newestVersion: async (message) => options.newestVersion?.(message) ?? message,
    onReplaced: () => {},
    onUnfit: () => {},
  });
  const registry = new Registry();
  const observer = createFunctionMetrics(registry);
  const records = new Map<string, string>();
  const unresponsive: string[] = [];
  const usage = new ProgramUsage({
    timers,
    idleMs: settings.reuseTimeoutMs,
    onIdle: (vmHash) => void executions.stop(vmHash),
  });
  const starter = new ProgramStarter({
    executions,
    messages,
    guests: running,
    coldStarts: new ColdStarts(settings.coldStarts, clock),
    settings,
    clock,
    timers,
    signal: closing.signal,
    observer,
  });
  const hosts = new NamedHosts({
    resolveTxt: async (name) => {
      const record = records.get(name);
      if (record === undefined) throw new Error("ENOTFOUND");
      return [[record]];
    },
    clock,
    timers,
  });
  const front = new FunctionFront({
    starter,
    usage,
    hosts,
    settings,
    clock,
    timers,
    log,
    observer,
    onUnresponsive: (vmHash) => {
      unresponsive.push(vmHash);
      void executions.stop(vmHash);
    },
  });
  const server = Fastify({ forceCloseConnections: true });
  // As the node mounts it: in an instance of its own, beside routes that would take everything.
  await server.register(async (functions) => registerFunctionRoutes(functions, front));
  server.get("/", async () => ({ landing: true }));
  server.get("/about/usage/system", async () => ({ own: true }));
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    port: Number(new URL(url).port),
    server: server.server,
    executions,
    guests,
    unresponsive,
    metrics: async () => readMetrics(await registry.metrics()),
    records,
    async [Symbol.asyncDispose]() {
      closing.abort();
      usage.close();
      running.close();
      for (const guest of guests.values()) await guest[Symbol.asyncDispose]();
      app.closeAllConnections();
      app.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
