import { Command, CommanderError } from "commander";
import packageFacts from "../package.json" with { type: "json" };
import type { CommandHost } from "./command-host.ts";
import { computeCommand } from "./commands/compute.ts";
import { creditCommand } from "./commands/credit.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { exportCommand } from "./commands/export.ts";
import { imageCommand } from "./commands/image.ts";
import { importCommand } from "./commands/import.ts";
import { nodeCommand } from "./commands/node.ts";
import { upCommand } from "./commands/up.ts";
import { verifyCommand } from "./commands/verify.ts";
import { EXIT } from "./exit-codes.ts";

/**
 * Runs the command that the arguments name.
 * @param args without the runtime and the script.
 * @returns the exit code.
 */
export async function runProgram(args: readonly string[], host: CommandHost): Promise<number> {
  let exitCode: number = EXIT.ok;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const program = new Command("twentysix")
    .description(
      "A decentralised cloud that speaks the aleph.im protocol: messages, files, and who may change them.",
    )
    .version(packageFacts.version, "--version", "print the version")
    .helpOption("-h, --help", "show this help, or that of a command");
  const commands = [
    nodeCommand,
    upCommand,
    verifyCommand,
    exportCommand,
    importCommand,
    creditCommand,
    computeCommand,
    doctorCommand,
    imageCommand,
  ];
  for (const create of commands) {
    program.addCommand(create(host, finish));
  }
  behave(program, host);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    throw error;
  }
}

/** Errors of usage are one line; nothing ends the process behind our back; no argument is ignored. */
function behave(command: Command, host: CommandHost): void {
  for (const part of command.commands) behave(part, host);
  command
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => host.stdout.write(text),
      writeErr: (text) => host.stderr.write(text),
      outputError: (text, write) =>
        write(
          `twentysix: ${text
            .replace(/^error: /, "")
            .trim()
            .replaceAll(/\s*\n\s*/g, " ")}\n`,
        ),
    });
}
