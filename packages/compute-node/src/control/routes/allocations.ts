import { validateContent } from "@twentysix/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { assertRequirements } from "../../executions/admission/requirements.ts";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import { objectOf } from "../auth/auth-packet.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { clientSignal } from "../http/machine-route.ts";
import { jsonBody, schemaRefusal } from "../http/read-body.ts";
import { sendJson } from "../http/send.ts";
import { readWanted, type WantedMachines } from "../plans/wanted-machines.ts";

/** What schedulers send. Source: aleph-vm `views/__init__.py`, pull requests 1202, 1172, 1232. */
export function addAllocationRoutes(app: FastifyInstance, services: ControlServices): void {
  const { schedulerAuth, plans, networks } = services;
  app.post("/control/allocations", async (request, reply) => {
    await schedulerAuth.authenticate(request, clientSignal(request, reply));
    const outcome = await plans.apply(wantedOf(request));
    const { successful, failing } = outcome;
    const status = failing.length === 0 ? 200 : successful.length > 0 ? 207 : 503;
    const body = { success: failing.length === 0, ...outcome };
    return sendJson(reply, body, status);
  });
  app.post("/v2/control/allocations", async (request, reply) => {
    await schedulerAuth.authenticate(request, clientSignal(request, reply));
    return sendJson(reply, await plans.accept(wantedOf(request)), 202);
  });
  app.get("/v2/control/allocations", async (request, reply) => {
    await schedulerAuth.authenticate(request, clientSignal(request, reply));
    return sendJson(reply, plans.status());
  });
  app.post("/v2/control/capacity/check", async (request, reply) => {
    const signal = clientSignal(request, reply);
    await schedulerAuth.authenticate(request, signal);
    return sendJson(reply, await checkCapacity(jsonBody(request), services, signal));
  });
  app.post("/control/network/recreate", async (request, reply) => {
    const signal = clientSignal(request, reply);
    await schedulerAuth.authenticate(request, signal);
    const recreated = await networks.recreate(signal);
    return sendJson(reply, {
      success: true,
      removed_chains_count: 0,
      removed_chains: [],
      recreated_count: recreated.length,
      failed_count: 0,
      recreated_vms: recreated,
      failed_vms: [],
    });
  });
  // There is no proxy beside this node: names are looked up with each request.
  app.post("/control/proxy/regenerate", async (request, reply) => {
    await schedulerAuth.authenticate(request, clientSignal(request, reply));
    return sendJson(reply, { success: true, message: "HAProxy configuration regenerated successfully" });
  });
}

function wantedOf(request: FastifyRequest): WantedMachines {
  const result = readWanted(jsonBody(request));
  if (result.ok) return result.wanted;
  throw schemaRefusal(result.problems);
}

/** Whether one more machine would fit, known by its hash or by its content. */
async function checkCapacity(body: unknown, services: ControlServices, signal: AbortSignal): Promise<object> {
  const { admission, node } = services;
  const content = await contentOf(body, services, signal);
  await admission.measure();
  const { vcpus, instanceMemoryMib, programMemoryMib, diskMib } = admission.headRoom();
  const headRoom = {
    vcpus,
    instance_memory_mib: instanceMemoryMib,
    program_memory_mib: programMemoryMib,
    disk_mib: diskMib,
  };
  if (content === null) return { fits: false, message_required: true, reasons: [], head_room: headRoom };
  try {
    assertRequirements(content, node());
    admission.assertFits(content, content.address, null);
    return { fits: true, message_required: false, reasons: [], head_room: headRoom };
  } catch (error) {
    if (!(error instanceof ExecutionError)) throw error;
    return { fits: false, message_required: false, reasons: [error.message], head_room: headRoom };
  }
}

/** null: no core node has the message. */
async function contentOf(
  body: unknown,
  { coreNodes }: ControlServices,
  signal: AbortSignal,
): Promise<Execution["content"] | null> {
  const fields = objectOf(body);
  if (typeof fields?.vm_hash === "string") {
    return (await coreNodes.vmMessage(fields.vm_hash, signal))?.content ?? null;
  }
  const content = objectOf(fields?.content);
  if (content === null) throw new ControlError(400, "give vm_hash, or content of an INSTANCE or PROGRAM");
  const type = "rootfs" in content ? "INSTANCE" : "PROGRAM";
  const result = validateContent(type, content as never, { creditInstancesWithoutNode: true });
  if (result.ok) return result.content;
  throw schemaRefusal(result.errors.map(({ type: kind, loc, msg }) => ({ type: kind, loc, msg })));
}
