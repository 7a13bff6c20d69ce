// `node scripts/setup.mjs [--with-browser]`: makes a fresh clone ready to run; quick and silent when it already is.
import { prepareBrowser } from "./browser.mjs";
import { prepareRepository } from "./installation.mjs";

if (!(await prepareRepository())) process.exitCode = 1;
else if (process.argv.includes("--with-browser") && !prepareBrowser()) process.exitCode = 1;
