import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTool } from "../../../src/processes/run-tool.ts";

/** A web server at a public address that is on another machine, as far as this host can tell. */
export interface Outside extends AsyncDisposable {
  readonly address: string;
}

/** Needs root: a network namespace on the other end of a cable, with addresses that nobody here uses. */
export async function makeOutside(signal: AbortSignal): Promise<Outside> {
  const name = `out${process.pid}`;
  const net = `45.99.${process.pid % 256}`;
  const ip = (line: string): Promise<string> => runTool("ip", line.split(" "), { signal });
  await ip(`netns add ${name}`);
  await ip(`link add ${name}a type veth peer name ${name}b netns ${name}`);
  await ip(`address add ${net}.1/24 dev ${name}a`);
  await ip(`link set ${name}a up`);
  await ip(`-n ${name} address add ${net}.2/24 dev ${name}b`);
  await ip(`-n ${name} link set ${name}b up`);
  const folder = mkdtempSync(join(tmpdir(), "outside-"));
  writeFileSync(join(folder, "index.html"), "page of the outside");
  const args = ["netns", "exec", name, "busybox", "httpd", "-f", "-p", "80", "-h", folder];
  const server = spawn("ip", args, { stdio: "ignore" });
  return {
    address: `${net}.2`,
    async [Symbol.asyncDispose]() {
      server.kill("SIGKILL");
      await once(server, "exit");
      await ip(`link delete ${name}a`);
      await ip(`netns delete ${name}`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
