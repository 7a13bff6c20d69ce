import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Execution } from "../../executions/execution.ts";
import { HELD_BY_OWNER, HELD_BY_OWNER_TEXT, isHeldByOwner } from "../../executions/held-by-owner.ts";
import { objectOf } from "../auth/auth-packet.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { Expiries } from "../expiries.ts";
import { clientSignal, ownedExecution, readRef } from "../http/machine-route.ts";
import { queryFlag, queryText } from "../http/query.ts";
import { bodyBytes } from "../http/read-body.ts";
import { sendJson, sendText } from "../http/send.ts";
import { TokenBuckets } from "../http/token-buckets.ts";
import { startMachine } from "./start-machine.ts";

const MAX_EXPIRY_SECONDS = 864_000;
/** Anybody may ask for an update, which asks core nodes: so often for each machine. */
const UPDATES = { capacity: 5, refillMs: 10_000, maxKeys: 10_000 };

/** What owners do with their machines. Source: aleph-vm `views/operator.py`. */
export function addMachineRoutes(app: FastifyInstance, services: ControlServices): void {
  const { executions } = services;
  const expiries = new Expiries(services);
  app.addHook("onClose", async () => expiries.close());
  addOperation(app, services, "stop", async (execution, signal, request) => {
    const { vmHash, state, desired } = execution;
    const isHeld = queryFlag(request, "until_owner_starts", false);
    const isStopped = state === "stopped" && desired === "stopped" && (!isHeld || isHeldByOwner(execution));
    const reason = isHeld ? services.store.reason(HELD_BY_OWNER, HELD_BY_OWNER_TEXT) : null;
    if (!isStopped) await executions.stop(vmHash, reason, signal);
    // Whoever starts it again starts it for good.
    expiries.cancel(vmHash);
    if (isStopped) return "Already stopped, nothing to do";
    return `Stopped VM with ref ${vmHash}`;
  });
  addOperation(app, services, "start", async (execution, signal) => {
    const { vmHash, state, desired } = execution;
    if (state === "running" && desired === "running") return "Already running, nothing to do";
    await startMachine(execution, services, signal);
    return `Started VM with ref ${vmHash}`;
  });
  addOperation(app, services, "reboot", async (execution, signal) => {
    const { vmHash, state } = execution;
    if (state === "running") {
      await executions.reboot(vmHash, signal);
      return `Rebooted VM with ref ${vmHash}`;
    }
    await startMachine(execution, services, signal);
    return `Starting VM (was not running) with ref ${vmHash}`;
  });
  addOperation(app, services, "erase", async ({ vmHash, mode }, signal) => {
    assertNormal(mode);
    await executions.erase(vmHash, null, signal);
    return `Erased VM with ref ${vmHash}`;
  });
  addOperation(app, services, "reinstall", async ({ vmHash, mode }, signal, request) => {
    assertNormal(mode);
    const erasesVolumes = queryFlag(request, "erase_volumes", true);
    await executions.reinstall(vmHash, { erasesVolumes }, signal);
    return `Reinstalled VM with ref ${vmHash}`;
  });
  addOperation(app, services, "expire", async ({ vmHash }, _signal, request) => {
    const seconds = readTimeout(request);
    expiries.set(vmHash, seconds);
    return `Expiring VM with ref ${vmHash} in ${seconds} seconds`;
  });
  addUpdateRoute(app, services);
}

type Operation = (execution: Execution, signal: AbortSignal, request: FastifyRequest) => Promise<string>;

function addOperation(
  app: FastifyInstance,
  services: ControlServices,
  name: string,
  operation: Operation,
): void {
  app.post(`/control/machine/:ref/${name}`, async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await ownedExecution(request, services, signal);
    return sendOutcome(
      request,
      reply,
      await operation(execution, signal, request),
      execution.vmHash,
      services,
    );
  });
}

/** Older clients show the text; those that ask for JSON get the machine's state with it. */
function sendOutcome(
  request: FastifyRequest,
  reply: FastifyReply,
  text: string,
  vmHash: string,
  { executions }: ControlServices,
): FastifyReply {
  if (request.headers.accept?.includes("application/json") !== true) return sendText(reply, text);
  return sendJson(reply, {
    status: "ok",
    message: text,
    vm_hash: vmHash,
    state: executions.get(vmHash)?.state ?? "gone",
  });
}

function assertNormal(mode: Execution["mode"]): void {
  if (mode === "rescue") throw new ControlError(409, "the machine is in rescue mode; end it first");
}

/** From the body (aleph-rs), the query, or absent. */
function readTimeout(request: FastifyRequest): number {
  const inQuery = queryText(request, "timeout");
  const given = inQuery ?? readBodyTimeout(bodyBytes(request)) ?? 0;
  const seconds = typeof given === "string" && /^\d+(\.\d+)?$/.test(given) ? Number(given) : given;
  if (typeof seconds === "number" && seconds >= 0 && seconds < MAX_EXPIRY_SECONDS) return seconds;
  throw new ControlError(400, "Invalid timeout duration");
}

function readBodyTimeout(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return objectOf(JSON.parse(body.toString("utf8")))?.timeout;
  } catch {
    throw new ControlError(400, "Invalid timeout duration");
  }
}

function addUpdateRoute(app: FastifyInstance, services: ControlServices): void {
  const { executions, networks, clock } = services;
  const buckets = new TokenBuckets(UPDATES, clock);
  app.post("/control/machine/:ref/update", async (request, reply) => {
    const vmHash = readRef(request);
    const execution = executions.get(vmHash);
    if (execution === null) throw new ControlError(404, "VM not found");
    if (execution.state !== "running") {
      return sendJson(reply, { status: "ok", msg: "VM not starting yet" });
    }
    if (!buckets.take(vmHash))
      throw new ControlError(429, "this machine was updated often just now; wait a little");
    await networks.refreshPorts(vmHash, clientSignal(request, reply));
    return sendJson(reply, {});
  });
}
