import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ImageError } from "../errors.ts";
import { withBuildLock } from "./build-lock.ts";
import type { BuildOptions } from "./build-tool.ts";
import { noteUse, pruneImages } from "./prune-images.ts";

/** How one kind of image is made. The same inputs are never built twice in a folder. */
export interface ImageRecipe {
  /** Names its folder: `kernel`, `python` … */
  readonly kind: string;
  /** All that the image depends on, as text: its script, its list of packages, the hashes of what it is made of. */
  readonly inputs: readonly string[];
  /** Names of the files that the build leaves in its folder; anything else there is thrown away. */
  readonly files: readonly string[];
  build(folder: string, options: BuildOptions): Promise<void>;
}

/** A built image: where its files are and what their bytes are. */
export interface BuiltImage {
  readonly kind: string;
  readonly folder: string;
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly sizeBytes: number }>>;
}

const MANIFEST_FILE = "manifest.json";
const KEY_DIGITS = 16;

/**
 * The image of a recipe: that of an earlier run, or built now. Of several processes that want the same, one builds and
 * the others wait. A build that fails or is cut off leaves nothing.
 *
 * @throws ImageError BUILD_FAILED, TOOL_MISSING
 */
export async function buildImage(
  imagesFolder: string,
  recipe: ImageRecipe,
  options: BuildOptions,
): Promise<BuiltImage> {
  const key = createHash("sha256").update(JSON.stringify(recipe.inputs)).digest("hex").slice(0, KEY_DIGITS);
  const folder = join(imagesFolder, `${recipe.kind}-${key}`);
  const found = await readManifest(recipe.kind, folder);
  if (found !== null) {
    await noteUse(folder);
    return found;
  }
  await mkdir(imagesFolder, { recursive: true });
  return withBuildLock(`${folder}.lock`, options, async () => {
    const builtMeanwhile = await readManifest(recipe.kind, folder);
    if (builtMeanwhile !== null) return builtMeanwhile;
    options.say?.(`building the ${recipe.kind} image`);
    const built = await buildAside(imagesFolder, folder, recipe, options);
    await noteUse(folder);
    await pruneImages(imagesFolder, recipe.kind, folder);
    return built;
  });
}

async function buildAside(
  imagesFolder: string,
  folder: string,
  recipe: ImageRecipe,
  options: BuildOptions,
): Promise<BuiltImage> {
  const work = await mkdtemp(join(imagesFolder, `.building-${recipe.kind}-`));
  try {
    await recipe.build(work, options);
    const files: Record<string, { sha256: string; sizeBytes: number }> = {};
    for (const name of recipe.files) files[name] = await describe(join(work, name), options.signal);
    for (const name of await readdir(work)) {
      if (!recipe.files.includes(name)) await rm(join(work, name), { recursive: true, force: true });
    }
    await writeFile(join(work, MANIFEST_FILE), `${JSON.stringify({ kind: recipe.kind, files }, null, 2)}\n`);
    // What an interrupted rename or an older layout left there has no manifest, or it would have been found.
    await rm(folder, { recursive: true, force: true });
    // Machines read it as users of their own.
    await chmod(work, 0o755);
    await rename(work, folder);
    return { kind: recipe.kind, folder, files };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function describe(path: string, signal: AbortSignal): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return { sha256: hash.digest("hex"), sizeBytes: (await stat(path)).size };
}

/** What an earlier build left; null when there is none, or one of its files is not as it was. */
async function readManifest(kind: string, folder: string): Promise<BuiltImage | null> {
  let text: string;
  try {
    text = await readFile(join(folder, MANIFEST_FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const { files } = JSON.parse(text) as Pick<BuiltImage, "files">;
  for (const [name, { sizeBytes }] of Object.entries(files)) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found?.size !== sizeBytes) return null;
  }
  return { kind, folder, files };
}

/** Path of a file of an image. */
export function imageFile({ kind, folder, files }: BuiltImage, name: string): string {
  if (files[name] === undefined)
    throw new ImageError("BUILD_FAILED", `the ${kind} image has no file ${name}`);
  return join(folder, name);
}
