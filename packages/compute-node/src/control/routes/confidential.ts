import type { FastifyInstance, FastifyRequest } from "fastify";
import { isConfidential } from "../../executions/confidential.ts";
import type { Execution } from "../../executions/execution.ts";
import type { RunningVm } from "../../hypervisor/hypervisor.ts";
import { ToolError } from "../../processes/run-tool.ts";
import { objectOf } from "../auth/auth-packet.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { clientSignal, ownedExecution } from "../http/machine-route.ts";
import { jsonBody } from "../http/read-body.ts";
import { sendJson, sendText } from "../http/send.ts";
import type { LaunchSecret } from "../instance-services.ts";
import { startMachine } from "./start-machine.ts";

/** A session and a key are some hundred bytes. */
const MAX_FIELD_BYTES = 4_096;
const MAX_SECRET_CHARACTERS = 65_536;
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/**
 * How owners of confidential machines measure them and give them their secret. Source: aleph-vm `views/operator.py`
 * (operate_confidential_*), `views/__init__.py` (about_certificates).
 */
export function addConfidentialRoutes(app: FastifyInstance, services: ControlServices): void {
  const { confidential } = services.instances;
  app.get("/control/machine/:ref/confidential/measurement", async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await confidentialExecution(request, services, signal);
    const vm = runningVm(execution, services, 403);
    const { sevInfo, launchMeasure } = await confidential.measure(vm, signal);
    return sendJson(reply, { sev_info: sevInfo, launch_measure: launchMeasure });
  });
  app.post("/control/machine/:ref/confidential/inject_secret", async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await confidentialExecution(request, services, signal);
    const secret = readSecret(jsonBody(request));
    const status = await confidential.inject(runningVm(execution, services, 409), secret, signal);
    return sendJson(reply, { status });
  });
  app.get("/about/certificates", async (request, reply) => {
    const { teeUnavailableReason } = services.node();
    if (teeUnavailableReason !== null) {
      return sendText(reply, "Confidential computing setting not enabled on that server", 503);
    }
    const certificates = await confidential.certificates(clientSignal(request, reply)).catch(unavailable);
    return reply.type("application/octet-stream").send(certificates);
  });
}

/** Needs an instance of the server with `@fastify/multipart`, and no other parser. */
export function addInitializeRoute(app: FastifyInstance, services: ControlServices): void {
  app.post("/control/machine/:ref/confidential/initialize", async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await confidentialExecution(request, services, signal);
    if (execution.state === "running") {
      throw refusal("vm_running", "Operation not allowed, instance already running");
    }
    const fields = await readFields(request);
    const [session, ownerKey] = [fields.get("session"), fields.get("godh")];
    if (session === undefined || ownerKey === undefined) {
      throw refusal(
        "field_missing",
        "the form needs the files session and godh, of base64 and 4 KiB at most",
      );
    }
    await services.instances.confidential.keepSession(execution, { session, ownerKey });
    await startMachine(execution, services, signal);
    return sendText(reply, `Started VM with ref ${execution.vmHash}`);
  });
}

function unavailable(cause: unknown): never {
  if (!(cause instanceof ToolError)) throw cause;
  throw new ControlError(503, `the certificates cannot be exported: ${cause.message}`, null, { cause });
}

async function confidentialExecution(
  request: FastifyRequest,
  services: ControlServices,
  signal: AbortSignal,
): Promise<Execution> {
  const execution = await ownedExecution(request, services, signal);
  if (isConfidential(execution.content)) return execution;
  const { teeUnavailableReason } = services.node();
  const more = teeUnavailableReason === null ? {} : { tee_unavailable_reason: teeUnavailableReason };
  throw refusal("not_confidential", "Operation not allowed, instance is not confidential", more);
}

function runningVm({ vmHash }: Execution, { executions }: ControlServices, status: number): RunningVm {
  const vm = executions.running(vmHash);
  if (vm === null) throw new ControlError(status, "Operation not running");
  return vm;
}

/** What is not base64, or too long, counts as not sent. */
async function readFields(request: FastifyRequest): Promise<ReadonlyMap<string, Buffer>> {
  const fields = new Map<string, Buffer>();
  if (!request.isMultipart()) return fields;
  const limits = { fileSize: MAX_FIELD_BYTES, files: 8, fields: 8 };
  for await (const part of request.parts({ limits })) {
    if (part.type !== "file") continue;
    const bytes = await part.toBuffer();
    if (!part.file.truncated && BASE64.test(bytes.toString("latin1"))) fields.set(part.fieldname, bytes);
  }
  return fields;
}

function readSecret(body: unknown): LaunchSecret {
  const { packet_header: packetHeader, secret } = objectOf(body) ?? {};
  if (isBase64(packetHeader) && isBase64(secret)) return { packetHeader, secret };
  throw refusal("field_missing", "packet_header and secret are needed, as base64");
}

function isBase64(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_SECRET_CHARACTERS && BASE64.test(value);
}

function refusal(code: string, description: string, more: object = {}): ControlError {
  return new ControlError(400, description, { code, description, ...more });
}
