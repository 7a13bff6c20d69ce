import { type InstanceContent, type JsonValue, parseJson, validateContent } from "@twentysix/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { assertRequirements } from "../../executions/admission/requirements.ts";
import { ExecutionError } from "../../executions/errors.ts";
import { assertMayAct } from "../auth/delegation.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { spacedDate } from "../http/dates.ts";
import { clientSignal } from "../http/machine-route.ts";
import { bodyBytes, encodedSchemaRefusal } from "../http/read-body.ts";
import { sendJson } from "../http/send.ts";

/** Holds room for an instance for 60 s, before its owner publishes it. Source: aleph-vm `views/operator.py`. */
export function addReserveRoute(app: FastifyInstance, services: ControlServices): void {
  const { ownerAuth, admission, coreNodes, node } = services;
  app.post("/control/reserve_resources", async (request, reply) => {
    const caller = ownerAuth.authenticate(request);
    const content = readContent(request);
    await assertMayAct(caller, content.address, "instance", coreNodes, clientSignal(request, reply));
    ownerAuth.acceptOnce(caller, content.address, "reservation");
    try {
      assertRequirements(content, node());
      await admission.measure();
      const endsAtMs = admission.reserve(content, content.address);
      return sendJson(reply, { status: "reserved", expires: spacedDate(endsAtMs) });
    } catch (error) {
      if (!(error instanceof ExecutionError)) throw error;
      throw refusal(error);
    }
  });
}

function readContent(request: FastifyRequest): InstanceContent {
  const parsed = parseJson(bodyBytes(request).toString("utf8"));
  if (!parsed.ok) throw new ControlError(400, "Body is not valid JSON");
  const result = validateContent("INSTANCE", parsed.value as JsonValue as never, {
    creditInstancesWithoutNode: true,
  });
  if (result.ok) return result.content as InstanceContent;
  throw encodedSchemaRefusal(result.errors.map(({ type, loc, msg }) => ({ type, loc: loc.slice(1), msg })));
}

function refusal(error: ExecutionError): ControlError {
  if (error.code === "NO_CAPACITY" || error.code === "BUSY") {
    const text = "This CRN cannot reserve the requested resources at this time.";
    return new ControlError(503, text, { error: text, reason: error.message });
  }
  const failed = "Failed to reserves all resources";
  return new ControlError(400, failed, { status: "error", error: failed, reason: error.message });
}
