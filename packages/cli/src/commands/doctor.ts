import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Finding } from "@twentysix/compute-node";
import { createPinoLogger } from "@twentysix/platform";
import { Command, Option } from "commander";
import { type CommandHost, codedMessage, exitCodeOf } from "../command-host.ts";
import type { ComputeModule } from "../compute-module.ts";
import { EXIT } from "../exit-codes.ts";

interface DoctorFlags {
  readonly dataDir: string;
  readonly json: boolean;
}

const TIMEOUT_MS = 120_000;
const MARKS = { ok: "ok", limited: "limited", missing: "missing" } as const;

/** `twentysix doctor`: what this machine offers functions and instances, and what to do about what it lacks. */
export function doctorCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  const command = new Command("doctor").description(
    "Look at what this machine offers functions and instances: programs, acceleration, networks, room. Boots a small guest to find out. Exit code 1 when something is missing without which nothing runs.",
  );
  return command
    .addOption(
      new Option("--data-dir <DIR>", "folder of the node")
        .argParser((text) => resolve(host.workingDir, text))
        .default(resolve(host.workingDir, "data"), "./data"),
    )
    .addOption(new Option("--json", "print a list in JSON instead of a table").default(false))
    .action(async () => finish(await examine(command.opts<DoctorFlags>(), host)));
}

async function examine({ dataDir, json }: DoctorFlags, host: CommandHost): Promise<number> {
  try {
    const compute = await host.loadCompute();
    const dir = join(dataDir, "compute");
    mkdirSync(dir, { recursive: true, mode: 0o711 });
    const capabilities = await tried(compute, dir, host);
    const findings = await compute.diagnose({
      dir,
      imagesDir: compute.defaultImagesFolder(host.environment),
      searchPath: host.environment.PATH ?? "",
      capabilities,
    });
    host.stdout.write(json ? `${JSON.stringify(findings)}\n` : table(findings));
    return findings.some(({ state }) => state === "missing") ? EXIT.failed : EXIT.ok;
  } catch (error) {
    const message = codedMessage(error);
    if (message === undefined) throw error;
    host.stderr.write(`twentysix doctor: ${message}\n`);
    return exitCodeOf(error);
  }
}

/** What booting a guest has shown, now or before. */
function tried(
  compute: ComputeModule,
  dir: string,
  { clock, timers, environment }: CommandHost,
): ReturnType<ComputeModule["tryHost"]> {
  const log = createPinoLogger({ level: "warn" });
  const imagesDir = compute.defaultImagesFolder(environment);
  return compute.tryHost(
    { ...compute.defaultHelperSettings(dir), imagesDir },
    { clock, timers, log },
    AbortSignal.timeout(TIMEOUT_MS),
  );
}

function table(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  return findings
    .map(({ name, state, detail, remedy }) => {
      const line = `${name.padEnd(width)}  ${MARKS[state].padEnd(7)}  ${detail}`;
      return remedy === null ? `${line}\n` : `${line}\n${" ".repeat(width + 11)}-> ${remedy}\n`;
    })
    .join("");
}
