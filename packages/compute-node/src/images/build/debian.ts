import { type BuildOptions, runBuildTool } from "./build-tool.ts";

export const DEBIAN_RELEASE = "bookworm";

/** Free, and what of Debian's archive is not: nothing of it is needed. */
const COMPONENTS = "main";

/** Nobody reads it in a guest. */
const LEFT_OUT = ["doc", "doc-base", "info", "lintian", "man", "locale", "bug", "i18n/locales"];

/**
 * Unpacks packages with all that they depend on into a folder, without running anything of theirs: no privileges are
 * needed. apt verifies them by Debian's signatures.
 *
 * @throws ImageError BUILD_FAILED, TOOL_MISSING
 */
export async function extractPackages(
  packages: readonly string[],
  target: string,
  folder: string,
  options: BuildOptions,
): Promise<void> {
  const args = [
    "--mode=chrootless",
    // As root it warns of scripts of packages that could change the host: this variant runs none.
    "--skip=check/chrootless",
    "--variant=extract",
    "--format=directory",
  ];
  await mmdebstrap(args, packages, target, folder, options);
}

/** A root file system that is more than its packages. */
export interface DebianRoot {
  /** Of mmdebstrap: `essential`, or `minbase` with apt. */
  readonly variant: "essential" | "minbase";
  /** Installed with what they depend on, not with what they recommend. */
  readonly packages: readonly string[];
  /** Shell commands that are run as root with the folder of the root file system as `$1`, one after another. */
  readonly customize: readonly string[];
}

/**
 * Installs packages into a new root file system, and writes it as a tar archive. Needs root, or a system where users may
 * make namespaces of their own.
 *
 * @throws ImageError BUILD_FAILED, TOOL_MISSING
 */
export async function installPackages(
  { variant, packages, customize }: DebianRoot,
  target: string,
  folder: string,
  options: BuildOptions,
): Promise<void> {
  const args = [
    `--variant=${variant}`,
    "--format=tar",
    ...LEFT_OUT.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    ...customize.map((command) => `--customize-hook=${command}`),
  ];
  await mmdebstrap(args, packages, target, folder, options);
}

async function mmdebstrap(
  args: readonly string[],
  packages: readonly string[],
  target: string,
  folder: string,
  { signal, mirror }: BuildOptions,
): Promise<void> {
  const common = ["--architectures=amd64", `--components=${COMPONENTS}`, `--include=${packages.join(",")}`];
  const places = mirror === undefined ? [DEBIAN_RELEASE, target] : [DEBIAN_RELEASE, target, mirror];
  await runBuildTool("mmdebstrap", [...args, ...common, ...places], { folder, signal });
}
