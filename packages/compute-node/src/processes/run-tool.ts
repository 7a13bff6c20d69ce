import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";

export interface ToolOptions {
  /** Given to its standard input, which is empty otherwise. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** Open files that it gets, from number 3 on. */
  readonly handles?: readonly number[];
  /** What failures call it; the program and its first argument otherwise. */
  readonly name?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** It starts programs of its own, which end with it when the signal aborts. */
  readonly hasChildren?: boolean;
  readonly signal: AbortSignal;
}

/** A program of this machine that did not do what it was asked for. */
export class ToolError extends Error {
  override readonly name = "ToolError";
  readonly code: "TOOL_MISSING" | "TOOL_FAILED";
  readonly exitCode: number | null;

  constructor(code: ToolError["code"], message: string, exitCode: number | null = null) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** Of either stream: more is cut, the program goes on. */
const MAX_OUTPUT_BYTES = 1_048_576;
const SHOWN_ERROR_CHARACTERS = 500;

/**
 * Runs a program to its end and gives what it wrote. No shell is between: arguments are taken as they are.
 *
 * @throws ToolError TOOL_MISSING, TOOL_FAILED; the signal's reason when it aborts, once the program is gone
 */
export async function runTool(file: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const { signal, input, cwd, environment, hasChildren = false, handles = [] } = options;
  signal.throwIfAborted();
  const started = spawn(file, args, {
    stdio: ["pipe", "pipe", "pipe", ...handles],
    detached: hasChildren,
    ...(cwd === undefined ? {} : { cwd }),
    ...(environment === undefined ? {} : { env: environment }),
  });
  // All three are pipes, which the types do not see behind further files.
  const child = started as ChildProcessWithoutNullStreams;
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const kill = (): void => void (hasChildren ? killGroup(child.pid) : child.kill("SIGKILL"));
  signal.addEventListener("abort", kill, { once: true });
  // A program that ends before it has read all is told of by its exit code.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  try {
    const exitCode = await endOf(file, child);
    signal.throwIfAborted();
    if (exitCode === 0) return output();
    const said = (errors().trim() || output().trim()).slice(-SHOWN_ERROR_CHARACTERS);
    const name = options.name ?? `${file} ${args[0] ?? ""}`;
    throw new ToolError("TOOL_FAILED", `${name} failed (${exitCode}): ${said}`, exitCode);
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** The program leads a group of its own, in which all are that it has started. */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function endOf(file: string, child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT";
      const message = isMissing
        ? `${file} is not installed`
        : `${file} could not be started: ${error.message}`;
      reject(new ToolError(isMissing ? "TOOL_MISSING" : "TOOL_FAILED", message));
    });
    child.once("close", resolve);
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream.on("data", (chunk: Buffer) => {
    if (sizeBytes >= MAX_OUTPUT_BYTES) return;
    chunks.push(chunk);
    sizeBytes += chunk.length;
  });
  return () => Buffer.concat(chunks).subarray(0, MAX_OUTPUT_BYTES).toString("utf8");
}
