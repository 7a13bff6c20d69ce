import { timingSafeEqual } from "node:crypto";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { awaitsOwner } from "../../executions/confidential.ts";
import type { Execution } from "../../executions/execution.ts";
import type { Executions } from "../../executions/executions.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { detailsJson, jsonText, listEntryV1, listEntryV2, recordJson } from "../execution-json.ts";
import { clientSignal } from "../http/machine-route.ts";
import { queryText } from "../http/query.ts";
import { sendJson } from "../http/send.ts";

const MAX_RECORDS = 1_000;

/** `/about/…`: what this node is and runs. Source: aleph-vm `views/__init__.py`, `resources.py`. */
export function addAboutRoutes(app: FastifyInstance, services: ControlServices): void {
  const { executions, networks, schedulerAuth } = services;
  app.addHook("preHandler", async (request, reply) => {
    if (!request.url.endsWith("/about/executions/list")) return;
    await schedulerAuth.noteContact(request, clientSignal(request, reply));
  });
  app.get("/about/login", (request, reply) => {
    if (!isToken(queryText(request, "token"), services)) return sendJson(reply, { success: false }, 401);
    const cookie = `token=${services.loginToken}; HttpOnly; Path=/; SameSite=Lax`;
    return reply.header("set-cookie", cookie).redirect("/about/config", 302);
  });
  app.get("/about/executions/list", (_request, reply) => {
    // Schedulers would place anew, for ever, what waits for its owner here.
    const present = executions.list().filter((one) => one.state === "running" || awaitsOwner(one));
    const entries = present.flatMap((execution) => {
      const addresses = networks.addressesOf(execution.vmHash);
      return addresses === null ? [] : [[execution.vmHash, listEntryV1(execution, addresses)]];
    });
    return sendJson(reply, Object.fromEntries(entries));
  });
  app.get("/v2/about/executions/list", (_request, reply) => {
    const hostIpv4 = networks.hostIpv4();
    const entries = executions
      .list()
      .filter(isListed)
      .map((execution) => {
        const addresses = networks.addressesOf(execution.vmHash);
        const ports = executions.ports(execution.vmHash);
        const { isReachable } = networks;
        return [execution.vmHash, listEntryV2(execution, { addresses, hostIpv4, ports, isReachable })];
      });
    return sendJson(reply, Object.fromEntries(entries));
  });
  app.get("/about/executions/details", (request, reply) => {
    assertOperator(request, services);
    const details = executions.list().map((execution) => [execution.vmHash, detailsJson(execution)]);
    return reply.type("application/json; charset=utf-8").send(jsonText([Object.fromEntries(details)]));
  });
  app.get("/about/executions/records", (request, reply) => {
    const limit = readLimit(queryText(request, "limit"));
    // One at a time, as the client takes them: anybody may ask for a thousand, each with its message.
    const body = Readable.from(recordArray(executions, limit), { objectMode: false });
    return reply.type("application/json; charset=utf-8").send(body);
  });
  app.get("/about/config", (request, reply) => {
    assertOperator(request, services);
    return sendJson(reply, shownSettings(services));
  });
}

function* recordArray(executions: Executions, limit: number): Generator<string, void, undefined> {
  let separator = "[";
  for (const execution of executions.records(limit)) {
    yield `${separator}${JSON.stringify(recordJson(execution, executions.ports(execution.vmHash)))}`;
    separator = ",";
  }
  yield separator === "[" ? "[]" : "]";
}

/** Programs that nobody calls are not here for anybody; what the scheduler took away leaves its disks alone. */
function isListed({ kind, isPersistent, state, reason }: Execution): boolean {
  if (state !== "stopped") return true;
  return (kind === "instance" || isPersistent) && reason?.code !== "NOT_ALLOCATED";
}

function readLimit(text: string | null): number {
  if (text === null) return MAX_RECORDS;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return Math.min(limit, MAX_RECORDS);
  throw new ControlError(
    400,
    `limit is "${text.slice(0, 32)}"; give a whole number from 1 to ${MAX_RECORDS}`,
  );
}

function assertOperator(request: FastifyRequest, services: ControlServices): void {
  const cookies = (request.headers.cookie ?? "").split(";").map((cookie) => cookie.trim().split("="));
  const token = cookies.find(([name]) => name === "token")?.[1] ?? null;
  if (!isToken(token, services)) throw new ControlError(401, "401 Invalid token");
}

function isToken(token: string | null, { loginToken }: ControlServices): boolean {
  const [given, expected] = [Buffer.from(token ?? ""), Buffer.from(loginToken)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function shownSettings({ settings, version }: ControlServices): object {
  const { allocation } = settings;
  const tokenHash = allocation.tokenHash === null ? null : "<REDACTED>";
  return { version, ...settings, allocation: { ...allocation, tokenHash } };
}
