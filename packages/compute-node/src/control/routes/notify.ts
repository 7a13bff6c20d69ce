import { isItemHash } from "@twentysix/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { ExecutionError } from "../../executions/errors.ts";
import type { Execution } from "../../executions/execution.ts";
import { HELD_BY_OWNER_TEXT, isHeldByOwner } from "../../executions/held-by-owner.ts";
import type { VmMessage } from "../../messages/core-node-client.ts";
import { paymentTermsOf } from "../../payments/payment-terms.ts";
import { objectOf } from "../auth/auth-packet.ts";
import { assertMayAct } from "../auth/delegation.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { clientSignal } from "../http/machine-route.ts";
import { jsonBody, schemaRefusal } from "../http/read-body.ts";
import { sendJson } from "../http/send.ts";
import { errorText } from "../plans/allocation-plans.ts";

/**
 * Anybody may tell this node of an instance that is meant for it, and paid: it is then fetched, checked and started.
 * Source: aleph-vm `views/__init__.py` (notify_allocation).
 */
export function addNotifyRoute(app: FastifyInstance, services: ControlServices): void {
  app.post("/control/allocation/notify", async (request, reply) => {
    const vmHash = readInstance(jsonBody(request));
    const signal = clientSignal(request, reply);
    const running = services.executions.get(vmHash);
    if (running?.state === "running" && running.desired === "running") return sendJson(reply, SUCCESS);
    if (running !== null && isHeldByOwner(running))
      await assertSignedByOwner(request, running, services, signal);
    const message = await findInstance(vmHash, services, signal);
    assertForThisNode(message, services);
    await assertRoom(message, services);
    await services.payments.assertPaid(message, signal);
    try {
      // The start goes on when the client leaves: it asks again, and joins it.
      await services.executions.ensureRunning(message, { source: "owner", isPersistent: true }, signal);
    } catch (error) {
      if (!(error instanceof ExecutionError)) throw error;
      const errors = { [vmHash]: errorText(error) };
      const body = { success: false, successful: false, failing: [vmHash], errors };
      return sendJson(reply, body, 503);
    }
    return sendJson(reply, SUCCESS);
  });
}

const SUCCESS = { success: true, successful: true, failing: [], errors: {} };

type InstanceMessage = VmMessage & { readonly type: "INSTANCE" };

function readInstance(body: unknown): string {
  const instance = objectOf(body)?.instance;
  if (typeof instance === "string" && isItemHash(instance)) return instance;
  const isMissing = instance === undefined;
  throw schemaRefusal([
    {
      type: isMissing ? "missing" : "value_error",
      loc: ["instance"],
      msg: isMissing ? "Field required" : "Input should be a valid item hash",
    },
  ]);
}

/** @throws ControlError 400, 404; CoreNodesError 503 */
async function findInstance(
  vmHash: string,
  { coreNodes }: ControlServices,
  signal: AbortSignal,
): Promise<InstanceMessage> {
  const message = await coreNodes.vmMessage(vmHash, signal);
  if (message === null) throw new ControlError(404, `Hash not found: ${vmHash}`);
  if (message.type !== "INSTANCE") throw new ControlError(400, "Message is not an instance");
  if (message.status !== "processed") {
    throw new ControlError(402, `the message is ${message.status}: its owner can no longer pay for it`);
  }
  return message;
}

/**
 * Anybody may ask: what names no node, and is paid to none, is its scheduler's to place. It would run on every node that
 * somebody asks.
 */
function assertForThisNode(
  { itemHash, content }: InstanceMessage,
  { node, executions }: ControlServices,
): void {
  const wanted = content.requirements?.node?.node_hash ?? null;
  if (wanted === null) {
    if (paymentTermsOf(content).type !== "superfluid") assertPlacedHere(executions.get(itemHash), content);
    return;
  }
  const { nodeHash } = node();
  if (nodeHash === null) {
    throw new ControlError(503, "Node hash not yet discovered, cannot accept targeted allocations");
  }
  if (nodeHash !== wanted) throw new ControlError(400, "Instance is allocated to a different node");
}

function assertPlacedHere(present: Execution | null, content: InstanceMessage["content"]): void {
  if (present?.reason?.code === "NOT_ALLOCATED") {
    const text =
      "its scheduler has taken it away from this node, and may run it elsewhere: ask the scheduler";
    throw new ControlError(409, text);
  }
  if (present !== null || paymentTermsOf(content).type === "hold") return;
  throw new ControlError(400, "Instance names no node: its scheduler places it");
}

/**
 * Existing clients start a stopped machine by an announcement that nobody signs, so an owner says with the stop whether
 * it holds against those.
 *
 * @throws ControlError 400, 401, 403, 409, 429, 503
 */
async function assertSignedByOwner(
  request: FastifyRequest,
  { owner, kind }: Execution,
  { ownerAuth, coreNodes }: ControlServices,
  signal: AbortSignal,
): Promise<void> {
  if (request.headers["x-signedoperation"] === undefined) throw new ControlError(409, HELD_BY_OWNER_TEXT);
  const caller = ownerAuth.authenticate(request);
  await assertMayAct(caller, owner, kind, coreNodes, signal);
  ownerAuth.acceptOnce(caller, owner, "machine");
}

async function assertRoom(
  { itemHash, content }: InstanceMessage,
  { admission, log }: ControlServices,
): Promise<void> {
  await admission.measure();
  try {
    admission.assertFits(content, content.address, itemHash);
  } catch (error) {
    if (!(error instanceof ExecutionError)) throw error;
    log.info("an instance does not fit here", { vmHash: itemHash, error });
    const text = "This CRN cannot host the requested instance at this time.";
    throw new ControlError(503, text, { error: text, reason: error.message });
  }
}
