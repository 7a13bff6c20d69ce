// `node scripts/setup.mjs`: makes a fresh clone ready to run; quick and silent when it already is.
import { prepareRepository } from "./installation.mjs";

if (!(await prepareRepository())) process.exitCode = 1;
