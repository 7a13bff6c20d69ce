import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT_DIR = fileURLToPath(new URL("../../../../", import.meta.url));

export interface PackageFacts {
  readonly name: string;
  /** From the root of the repository: `packages/protocol`. */
  readonly dir: string;
  /** The subpaths that others may import: `.`, `./node`; each with the file that it stands for. */
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
}

/** The packages of the workspace by their names. */
export function readPackages(): ReadonlyMap<string, PackageFacts> {
  const packages = globSync("packages/*/package.json", { cwd: ROOT_DIR }).map((file) => {
    const manifest = JSON.parse(readFileSync(join(ROOT_DIR, file), "utf8"));
    return {
      name: manifest.name as string,
      dir: dirname(file),
      exports: (manifest.exports ?? {}) as Record<string, string>,
      dependencies: Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }),
    };
  });
  return new Map(packages.map((facts) => [facts.name, facts]));
}

/** Code files under a folder of the repository, as paths from its root. */
export function codeFiles(dir: string): string[] {
  return globSync(`${dir}/**/*.{ts,tsx,mjs}`, { cwd: ROOT_DIR })
    .filter((file) => !/(^|\/)(node_modules|fixtures|\.cache)\//.test(file))
    .sort();
}

export function readSource(file: string): string {
  return readFileSync(join(ROOT_DIR, file), "utf8");
}

const IMPORT =
  /(?:^|[;}\s])(?:import|export)\s(?:[^"'`;]*?\sfrom\s)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** What a file imports, types included: the specifiers as written. */
export function importsOf(file: string): string[] {
  const code = readSource(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");
}

/** A file and all files of its package that it reaches by relative imports. */
export function reachableFrom(entry: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file) || !existsSync(join(ROOT_DIR, file)) || !/\.tsx?$/.test(file)) continue;
    reached.add(file);
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith(".")) waiting.push(join(dirname(file), specifier));
    }
  }
  return reached;
}

/** Whether a relative import leaves the folder of its package. */
export function leavesPackage(file: string, specifier: string, packageDir: string): boolean {
  return relative(packageDir, join(dirname(file), specifier)).startsWith("..");
}
