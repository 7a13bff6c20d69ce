// Plain JavaScript that runs on Node 20.

const CHECK_PERIOD_MS = 200;

/**
 * Under npm and npx a shell stands between them and us. It dies of the signals that npm passes on, and keeps
 * them to itself: the loss of that parent is then the only word that reaches us, and means SIGTERM. Elsewhere a
 * lost parent means nothing (`nohup`, a service manager).
 */
export function stopWhenNpmStops() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parentPid = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parentPid) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, CHECK_PERIOD_MS);
  timer.unref();
}
