import { createRequire } from "node:module";
import { TestnetError } from "../errors.ts";

/** Packages that carry the program, by `platform-arch` of Node. */
const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "@foundry-rs/anvil-linux-amd64",
  "linux-arm64": "@foundry-rs/anvil-linux-arm64",
  "darwin-x64": "@foundry-rs/anvil-darwin-amd64",
  "darwin-arm64": "@foundry-rs/anvil-darwin-arm64",
  "win32-x64": "@foundry-rs/anvil-win32-amd64",
};

/**
 * The file of the program.
 *
 * @throws TestnetError TESTNET_CHAIN_NOT_INSTALLED
 */
export function anvilProgram(machine = `${process.platform}-${process.arch}`): string {
  const name = PACKAGES[machine];
  if (name === undefined) throw notInstalled(`there is no local chain for ${machine}`);
  try {
    const program = machine.startsWith("win32") ? "anvil.exe" : "anvil";
    return createRequire(import.meta.url).resolve(`${name}/bin/${program}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw notInstalled(`${name} is missing: run \`npm ci\` again without --omit=optional`);
  }
}

const notInstalled = (message: string): TestnetError =>
  new TestnetError("TESTNET_CHAIN_NOT_INSTALLED", message);
