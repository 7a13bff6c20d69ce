import type { Timers } from "@twentysix/platform";
import { runTool, ToolError } from "../../processes/run-tool.ts";
import { ImageError } from "../errors.ts";

/** What every build of an image needs. */
export interface BuildOptions {
  readonly timers: Timers;
  readonly signal: AbortSignal;
  /** Told what is done now, in a sentence: a build takes from seconds to minutes. */
  readonly say?: (text: string) => void;
  /** Where packages come from; mmdebstrap's own choice for the release by default. */
  readonly mirror?: string;
}

/** Of every file in an image, so that the same packages give the same bytes: 2026-01-01. */
export const IMAGE_TIME_SECONDS = 1_767_225_600;

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Debian's package of each tool that builds use. */
const PACKAGE_OF_TOOL: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap debian-archive-keyring uidmap",
  mksquashfs: "squashfs-tools",
  sqfstar: "squashfs-tools",
  sh: "fakeroot e2fsprogs squashfs-tools tar",
  "qemu-img": "qemu-utils",
};

/**
 * Runs a tool with a fixed environment: the time of files, and its temporary files in the folder of the build, which
 * goes with it.
 *
 * @throws ImageError TOOL_MISSING, BUILD_FAILED
 */
export async function runBuildTool(
  tool: string,
  args: readonly string[],
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<string> {
  const environment = [
    `PATH=${SEARCH_PATH}`,
    `TMPDIR=${folder}`,
    `SOURCE_DATE_EPOCH=${IMAGE_TIME_SECONDS}`,
    "LC_ALL=C.UTF-8",
    "HOME=/",
  ];
  try {
    const words = ["-i", ...environment, tool, ...args];
    return await runTool("/usr/bin/env", words, { signal, hasChildren: true });
  } catch (error) {
    throw error instanceof ToolError ? told(tool, error) : error;
  }
}

/** 127 is what `env` ends with when it does not find the program. */
function told(tool: string, error: ToolError): ImageError {
  if (error.exitCode !== 127) return new ImageError("BUILD_FAILED", error.message, { cause: error });
  const packages = PACKAGE_OF_TOOL[tool] ?? tool;
  const message = `${tool} is not installed, which images are built with: run apt-get install ${packages}`;
  return new ImageError("TOOL_MISSING", message, { cause: error });
}
