// Loaded before each test file: a process that something holds open after its tests would be waited for without end, as
// the runner's own limit is one of tests. This one ends it, and says what held it.
import { isMainThread } from "node:worker_threads";

/** After the limit of its tests, which have an error of their own. */
const graceMs = Number(process.env.TWENTYSIX_TEST_FILE_GRACE_MS ?? 60_000);
const limitMs = Number(process.env.TWENTYSIX_TEST_FILE_TIMEOUT_MS) + graceMs;

if (isMainThread)
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(`The test file did not end within ${limitMs / 1_000} s; it is held by: ${held}\n`);
    process.exit(1);
  }, limitMs).unref();
