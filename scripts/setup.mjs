// `node scripts/setup.mjs`: makes a fresh clone ready to run; quick and silent when it already is.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SetupError, setUp } from "./installation.mjs";

try {
  await setUp(join(dirname(fileURLToPath(import.meta.url)), ".."));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
