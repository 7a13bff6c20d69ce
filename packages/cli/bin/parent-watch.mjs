// Plain JavaScript that runs on Node 20.
import { readFileSync } from "node:fs";

const CHECK_PERIOD_MS = 200;

let isStopping = false;

/** Once, whatever tells of it: a second SIGTERM would mean that nobody waits for a clean stop. */
function stopOnce() {
  if (isStopping) return;
  isStopping = true;
  process.kill(process.pid, "SIGTERM");
}

/**
 * Whoever started us over a channel is gone when it closes, however that process ended. Said by a signal, it counts
 * from the first moment on, before anything that could listen is loaded.
 */
export function stopWhenChannelCloses() {
  if (!process.connected) return;
  process.once("disconnect", stopOnce);
  process.channel?.unref();
}

/**
 * Under npm and npx a shell stands between them and us. It dies of the signals that npm passes on, and keeps
 * them to itself: the loss of that parent is then the only word that reaches us, and means SIGTERM. When npm is
 * killed, the shell lives on without it. Elsewhere a lost parent means nothing (`nohup`, a service manager), unless
 * the command lives for whoever called it.
 */
export function stopWithParent({ always }) {
  const isUnderNpm = process.env.npm_lifecycle_event !== undefined;
  if (!isUnderNpm && !always) return;
  const parentPid = process.ppid;
  const grandparentPid = isUnderNpm ? parentOf(parentPid) : null;
  const timer = setInterval(() => {
    const hasParent = process.ppid === parentPid;
    if (hasParent && (grandparentPid === null || parentOf(parentPid) === grandparentPid)) return;
    clearInterval(timer);
    stopOnce();
  }, CHECK_PERIOD_MS);
  timer.unref();
}

/** null where the system does not tell. */
function parentOf(pid) {
  if (process.platform !== "linux") return null;
  try {
    // The name of the program comes before it in brackets, and may have brackets and blanks of its own.
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ");
    return Number(fields?.[1]);
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return null;
    throw error;
  }
}
