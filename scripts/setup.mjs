// `node scripts/setup.mjs [--with-browser] [--with-virtual-machines] [--with-test-servers]`: makes a fresh clone
// ready to run; quick and silent when it already is.
import { prepareRepository } from "./installation.mjs";

if (!(await prepareRepository())) process.exitCode = 1;
else {
  if (process.argv.includes("--with-browser")) {
    const { prepareBrowser } = await import("./browser.mjs");
    if (!prepareBrowser()) process.exitCode = 1;
  }
  if (process.argv.includes("--with-virtual-machines")) {
    const { prepareVirtualMachines } = await import("./virtual-machines.mjs");
    if (!prepareVirtualMachines({ withTestTools: true })) process.exitCode = 1;
  }
  if (process.argv.includes("--with-test-servers")) {
    const { prepareEveryServer } = await import("./test-servers.mjs");
    for (const line of await prepareEveryServer()) process.stderr.write(`setup: ${line}\n`);
  }
}
