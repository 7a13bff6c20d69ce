import { resolve } from "node:path";
import type { PublishableImage } from "@twentysix/compute-node";
import { listenForShutdown } from "@twentysix/platform";
import { Argument, Command } from "commander";
import { type CommandHost, codedMessage, exitCodeOf } from "../command-host.ts";
import type { ComputeModule } from "../compute-module.ts";
import { EXIT, exitCodeOfSignal } from "../exit-codes.ts";

interface BuildFlags {
  readonly out?: string;
  readonly mirror?: string;
  readonly json?: boolean;
}

const NAMES = ["python", "node", "binary", "debian12"] as const;
type Name = (typeof NAMES)[number];

/** `twentysix image build`: from Debian's packages, each image once in a folder. */
export function imageBuildCommand(host: CommandHost, finish: (exitCode: number) => void): Command {
  return new Command("build")
    .description(
      "Build the kernel of guests and the images that functions and instances boot, from Debian's packages. What the folder has already is not built again. The first time takes some minutes.",
    )
    .addArgument(new Argument("[names...]", "which images (default all)").choices(NAMES))
    .option("--out <folder>", "where they are kept (default ~/.cache/twentysix/images)")
    .option("--mirror <url>", "mirror of Debian to get packages from")
    .option("--json", "print a JSON array instead of a table")
    .action(async (names: readonly Name[], flags: BuildFlags) => finish(await build(names, flags, host)));
}

async function build(names: readonly Name[], flags: BuildFlags, host: CommandHost): Promise<number> {
  const stopping = new AbortController();
  const stopListening = listenForShutdown(
    {
      onFirst: () => stopping.abort(),
      onSecond: (signal) => host.exit(exitCodeOfSignal(signal)),
    },
    host.clock,
  );
  try {
    const compute = await host.loadCompute();
    const options = {
      timers: host.timers,
      signal: stopping.signal,
      say: (text: string) => void host.stderr.write(`${text}\n`),
      ...(flags.mirror === undefined ? {} : { mirror: flags.mirror }),
    };
    const images = await compute.buildImages(
      folderOf(flags, host, compute),
      options,
      names.length > 0 ? names : NAMES,
    );
    host.stdout.write(flags.json === true ? `${JSON.stringify(images)}\n` : table(images));
    return EXIT.ok;
  } catch (error) {
    if (stopping.signal.aborted) return EXIT.failed;
    const message = codedMessage(error);
    if (message === undefined) throw error;
    host.stderr.write(`twentysix image build: ${message}\n`);
    return exitCodeOf(error);
  } finally {
    stopListening();
  }
}

function folderOf(
  { out }: BuildFlags,
  { environment, workingDir }: CommandHost,
  compute: Pick<ComputeModule, "defaultImagesFolder">,
): string {
  return out === undefined ? compute.defaultImagesFolder(environment) : resolve(workingDir, out);
}

function table(images: readonly PublishableImage[]): string {
  const lines = images.map(({ name, sha256, sizeBytes, path }) => {
    const size = `${(sizeBytes / 1_048_576).toFixed(0)} MiB`;
    return `${name.padEnd(10)} ${size.padStart(8)}  ${sha256}  ${path}\n`;
  });
  return lines.join("");
}
