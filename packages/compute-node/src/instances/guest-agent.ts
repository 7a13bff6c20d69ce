import type { Socket } from "node:net";
import { connectUnix } from "../hypervisor/qmp/connect-unix.ts";

/** A guest agent that does not answer, or answers with an error: many guests have none. */
export class GuestAgentError extends Error {
  override readonly name = "GuestAgentError";
}

const MAX_ANSWER_BYTES = 65_536;

/**
 * One command of QEMU's guest agent: what the guest answers, which is not to be trusted.
 * Source: QEMU `docs/interop/qemu-ga.rst`.
 *
 * @throws GuestAgentError; the signal's reason when it aborts
 */
export async function askGuestAgent(
  socketPath: string,
  command: "guest-fsfreeze-freeze" | "guest-fsfreeze-thaw" | "guest-ping",
  syncId: number,
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted();
  const socket = await connectUnix(socketPath).catch((error: Error) => {
    throw new GuestAgentError(`the socket of the guest agent cannot be reached: ${error.message}`);
  });
  const close = (): void => void socket.destroy();
  signal.addEventListener("abort", close, { once: true });
  try {
    const answers = readAnswers(socket);
    // What an earlier caller did not read is told from ours by the number.
    socket.write(`${JSON.stringify({ execute: "guest-sync", arguments: { id: syncId } })}\n`);
    for (;;) {
      const answer = await nextAnswer(answers);
      if (answer.return === syncId) break;
    }
    socket.write(`${JSON.stringify({ execute: command })}\n`);
    const answer = await nextAnswer(answers);
    if (answer.error !== undefined) throw new GuestAgentError(`${command}: ${JSON.stringify(answer.error)}`);
    return answer.return;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GuestAgentError) throw error;
    throw new GuestAgentError(`the guest agent does not answer: ${(error as Error).message}`);
  } finally {
    signal.removeEventListener("abort", close);
    socket.destroy();
  }
}

interface Answer {
  readonly return?: unknown;
  readonly error?: unknown;
}

async function nextAnswer(answers: AsyncGenerator<Answer>): Promise<Answer> {
  const { value, done } = await answers.next();
  if (done === true) throw new GuestAgentError("the guest agent has closed its connection");
  return value;
}

async function* readAnswers(socket: Socket): AsyncGenerator<Answer> {
  let pending = "";
  for await (const chunk of socket) {
    pending += (chunk as Buffer).toString("utf8");
    if (pending.length > MAX_ANSWER_BYTES) throw new GuestAgentError("the guest agent answers without end");
    for (;;) {
      const end = pending.indexOf("\n");
      if (end < 0) break;
      const line = pending.slice(0, end).trim();
      pending = pending.slice(end + 1);
      if (line !== "") yield parseAnswer(line);
    }
  }
}

function parseAnswer(line: string): Answer {
  // A byte of 255 starts the answers of some agents anew.
  const answer: unknown = JSON.parse(line.replace(/^\uFFFD+/, ""));
  if (typeof answer === "object" && answer !== null) return answer;
  throw new GuestAgentError("the guest agent answers with something else than an object");
}
