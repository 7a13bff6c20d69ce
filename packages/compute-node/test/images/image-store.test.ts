import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { buildImage, type ImageRecipe, imageFile } from "../../src/images/build/image-store.ts";
import { ImageError } from "../../src/images/errors.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { buildOptions } from "./support.ts";

const OPTIONS = buildOptions(new AbortController().signal);

/** A recipe that counts how often it is followed. */
function recipe(
  input: string,
  counted = { builds: 0 },
): ImageRecipe & { readonly counted: { builds: number } } {
  return {
    kind: "thing",
    inputs: [input],
    files: ["a"],
    counted,
    async build(folder) {
      counted.builds += 1;
      await writeFile(join(folder, "a"), input);
      await writeFile(join(folder, "scrap"), "x");
    },
  };
}

describe("folder of images", () => {
  it("builds each image once, whoever asks at the same time, and only when its inputs change", async () => {
    await using folder = await tempFolder();
    const first = recipe("one");
    const images = await Promise.all([1, 2, 3].map(() => buildImage(folder.path, first, OPTIONS)));
    assert.equal(first.counted.builds, 1);
    const [image] = images;
    assert.ok(image !== undefined);
    assert.equal(await readFile(imageFile(image, "a"), "utf8"), "one");
    assert.throws(() => imageFile(image, "scrap"), ImageError);
    assert.ok(!(await readdir(image.folder)).includes("scrap"));
    const other = await buildImage(folder.path, recipe("two"), OPTIONS);
    assert.notEqual(other.folder, image.folder);
    assert.equal((await stat(image.folder)).mode & 0o777, 0o755, "machines are other users");
  });

  it("leaves nothing of a build that fails, and builds anew what was damaged or left by a dead process", async () => {
    await using folder = await tempFolder();
    const failing = { ...recipe("one"), build: () => Promise.reject(new ImageError("BUILD_FAILED", "no")) };
    await assert.rejects(buildImage(folder.path, failing, OPTIONS), /no/);
    assert.deepEqual(await readdir(folder.path), []);
    const good = recipe("one");
    const image = await buildImage(folder.path, good, OPTIONS);
    await writeFile(imageFile(image, "a"), "cut off");
    // A process number that no process has.
    await writeFile(`${image.folder}.lock`, "4194305");
    const again = await buildImage(folder.path, good, OPTIONS);
    assert.equal(await readFile(imageFile(again, "a"), "utf8"), "one");
  });

  it("forgets what nobody has used for a month", async () => {
    await using folder = await tempFolder();
    const age = async (path: string, days: number): Promise<void> => {
      const seconds = (await stat(folder.path)).mtimeMs / 1_000 - days * 86_400;
      await utimes(path, seconds, seconds);
    };
    const old = await buildImage(folder.path, recipe("old"), OPTIONS);
    const used = await buildImage(folder.path, recipe("used"), OPTIONS);
    const unfinished = join(folder.path, ".building-thing-XXXXXX");
    await mkdir(unfinished);
    await age(join(old.folder, ".used"), 31);
    await age(join(used.folder, ".used"), 29);
    await age(unfinished, 2);
    const fresh = await buildImage(folder.path, recipe("fresh"), OPTIONS);
    const kept = (await readdir(folder.path)).map((name) => join(folder.path, name));
    assert.deepEqual(kept.toSorted(), [used.folder, fresh.folder].toSorted());
  });
});
