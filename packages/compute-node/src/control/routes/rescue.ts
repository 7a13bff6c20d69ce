import { isItemHash } from "@twentysix/protocol";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { clientSignal, ownedExecution } from "../http/machine-route.ts";
import { queryText } from "../http/query.ts";
import { sendJson, sendText } from "../http/send.ts";
import type { RescueState } from "../instance-services.ts";

/** Another system on the disks of an instance. Source: aleph-vm pull request 932. */
export function addRescueRoutes(app: FastifyInstance, services: ControlServices): void {
  const { rescues } = services.instances;
  app.post("/control/machine/:ref/rescue", async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await ownedExecution(request, services, signal);
    const imageHash = queryText(request, "item_hash");
    if (imageHash !== null && !isItemHash(imageHash))
      throw new ControlError(400, "item_hash is no item hash");
    await rescues.enter(execution, imageHash, signal);
    return sendJson(reply, { status: "in_progress" }, 202);
  });
  app.get("/control/machine/:ref/rescue", async (request, reply) => {
    const execution = await ownedExecution(request, services, clientSignal(request, reply));
    const state = rescues.status(execution.vmHash);
    if (state === null) throw new ControlError(404, "the machine is not in rescue mode");
    return sendState(reply, state);
  });
  app.delete("/control/machine/:ref/rescue", async (request, reply) => {
    const signal = clientSignal(request, reply);
    const execution = await ownedExecution(request, services, signal);
    await rescues.leave(execution, signal);
    return sendJson(reply, { status: "normal", message: "Instance restored to normal boot." });
  });
}

function sendState(reply: FastifyReply, state: RescueState): FastifyReply {
  if (state.state === "in_progress") return sendJson(reply, { status: "in_progress" }, 202);
  if (state.state === "failed") return sendText(reply, state.reason, 500);
  return sendJson(reply, { status: "rescue", message: state.message });
}
