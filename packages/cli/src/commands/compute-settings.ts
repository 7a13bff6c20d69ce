import { resolve } from "node:path";
import type { HelperSettings } from "@twentysix/compute-node";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { CommandHost } from "../command-host.ts";

interface HelperFlags {
  readonly dir: string;
  readonly images?: string;
  readonly ipv4Pool?: string;
  readonly ipv6Pool?: string;
  readonly ipv6Policy?: "static" | "dynamic";
  readonly interface?: string;
  readonly allowNetwork?: readonly string[];
  readonly nameServer?: readonly string[];
  readonly allowMail?: boolean;
  readonly bandwidth?: string;
  readonly vsockDevice?: string;
  readonly exitWhenIdle?: string;
}

/** Gives a command the flags of what the operator decides about machines of a host. */
export function addHelperFlags(command: Command): Command {
  return command
    .requiredOption("--dir <folder>", "folder of the compute node: DATA/compute; its owner is who is obeyed")
    .option("--images <folder>", "folder of kernel and initrd (default: images in the folder of the node)")
    .option("--ipv4-pool <network>", "IPv4 addresses of machines (default 172.16.0.0/12)")
    .option("--ipv6-pool <network>", "IPv6 addresses of machines (default fc00:1:2:3::/64)")
    .addOption(
      new Option("--ipv6-policy <policy>", "addresses by formula, or one after the other").choices([
        "static",
        "dynamic",
      ]),
    )
    .option("--interface <device>", "leads to the outside (default: by the routes of the host)")
    .option("--allow-network <networks...>", "private networks that machines may reach")
    .option("--name-server <addresses...>", "name servers of machines (default: those of the host)")
    .option("--allow-mail", "machines may send mail: TCP port 25")
    .addOption(
      new Option(
        "--bandwidth <mbit>",
        "what a machine may send, and receive, in megabits a second (default: as much as there is)",
      ).argParser((text) => {
        if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("It is no number of megabits.");
        return text;
      }),
    )
    .option(
      "--vsock-device <program>",
      "vsock device of machines, by name or path (default vhost-device-vsock)",
    )
    .addOption(
      new Option(
        "--exit-when-idle <seconds>",
        "end when no machine runs and no node is connected for so long (default: never)",
      ).argParser((text) => {
        if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("It is no number of seconds.");
        return text;
      }),
    );
}

/** The settings from the flags of a parsed command. */
export function helperSettings(
  command: Command,
  host: CommandHost,
  defaultsOf: (dir: string) => HelperSettings,
): HelperSettings {
  const flags = command.opts<HelperFlags>();
  const defaults = defaultsOf(resolve(host.workingDir, flags.dir));
  return {
    ...defaults,
    imagesDir: flags.images === undefined ? null : resolve(host.workingDir, flags.images),
    ipv4Pool: flags.ipv4Pool ?? defaults.ipv4Pool,
    ipv6Pool: flags.ipv6Pool ?? defaults.ipv6Pool,
    ipv6Policy: flags.ipv6Policy ?? defaults.ipv6Policy,
    networkInterface: flags.interface ?? null,
    allowedNetworks: flags.allowNetwork ?? [],
    nameServers: flags.nameServer ?? null,
    allowsMail: flags.allowMail === true,
    maxMbitPerSecond: flags.bandwidth === undefined ? null : Number(flags.bandwidth),
    vsockProgram: flags.vsockDevice ?? defaults.vsockProgram,
    exitWhenIdleMs: flags.exitWhenIdle === undefined ? null : Number(flags.exitWhenIdle) * 1_000,
  };
}
