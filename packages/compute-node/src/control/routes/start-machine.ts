import type { Execution } from "../../executions/execution.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";

/** Room and payment are looked at again: much may have changed since it was stopped. */
export async function startMachine(
  { vmHash, kind, isPersistent }: Execution,
  { executions, coreNodes, payments }: ControlServices,
  signal: AbortSignal,
): Promise<void> {
  const message = await coreNodes.vmMessage(vmHash, signal);
  if (message === null) throw new ControlError(404, `Hash not found: ${vmHash}`);
  if (message.type === "INSTANCE") await payments.assertPaid(message, signal);
  const keepsAlive = isPersistent || kind === "instance";
  await executions.ensureRunning(message, { source: "owner", isPersistent: keepsAlive }, signal);
}
