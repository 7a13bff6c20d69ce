import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { MachineVolume, ProgramContent } from "@twentysix/protocol";
import fc from "fast-check";
import { ExecutionError } from "../../../src/executions/errors.ts";
import { acquireProgramFiles } from "../../../src/functions/program/program-files.ts";
import { planProgram } from "../../../src/functions/program/program-plan.ts";
import { ImageError } from "../../../src/images/errors.ts";
import type { FileCache } from "../../../src/images/images.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { hashOf, programMessage } from "../support/program-message.ts";

const VM = hashOf("vm");
const labels = { comment: null, mount: null };
const image = (changes: object = {}): MachineVolume => ({
  ...labels,
  ref: hashOf("image"),
  use_latest: false,
  ...changes,
});
const persistent = (changes: object = {}): MachineVolume => ({
  ...labels,
  parent: null,
  persistence: "host",
  name: "data",
  size_mib: 10,
  ...changes,
});

function plan(content: Partial<ProgramContent>) {
  return planProgram(VM, programMessage("vm", content).content);
}

describe("what a program's message asks for", () => {
  test("is planned in its order, with names that lead nowhere else", () => {
    const { volumes } = plan({
      volumes: [
        image({ mount: "/opt/packages" }),
        persistent({ name: "../../etc/passwd", mount: "/mnt/a" }),
        { ...labels, ephemeral: true, size_mib: 5, mount: "/mnt/b//c/" },
        persistent({ name: null, persistence: null }),
      ],
    });
    assert.deepEqual(
      volumes.map((volume) => [volume.kind, volume.mount, "name" in volume ? volume.name : null]),
      [
        ["image", "/opt/packages", null],
        ["persistent", "/mnt/a", "______etc_passwd"],
        ["ephemeral", "/mnt/b/c", "ephemeral-2"],
        ["persistent", "/mnt/unamed_volume_3", "unamed_volume_3"],
      ],
    );
  });

  const refused: readonly [what: string, content: Partial<ProgramContent>, reason: RegExp][] = [
    ["a volume over the system", { volumes: [image({ mount: "/etc" })] }, /cannot be mounted on "\/etc"/],
    ["a volume in /proc", { volumes: [image({ mount: "/proc/1" })] }, /cannot be mounted/],
    ["a way out", { volumes: [image({ mount: "/mnt/../etc" })] }, /cannot be mounted/],
    ["no absolute place", { volumes: [image({ mount: "data" })] }, /cannot be mounted/],
    [
      "two on one place",
      { volumes: [image({ mount: "/mnt/x" }), image({ mount: "/mnt/x/" })] },
      /two volumes are mounted/,
    ],
    [
      "two of one name",
      { volumes: [persistent({ mount: "/a1" }), persistent({ mount: "/b1" })] },
      /two volumes are called/,
    ],
    ["itself as a volume", { volumes: [image({ ref: VM })] }, /names the program itself/],
    ["a volume of the store", { volumes: [persistent({ persistence: "store" })] }, /persistence "store"/],
    [
      "a parent",
      { volumes: [persistent({ parent: { ref: hashOf("p"), use_latest: true } })] },
      /has a parent/,
    ],
    [
      "too many",
      { volumes: Array.from({ length: 15 }, (_, index) => image({ mount: `/mnt/${index}` })) },
      /15 volumes/,
    ],
    ["itself as its runtime", { runtime: { ref: VM, use_latest: false, comment: "" } }, /names itself/],
    [
      "data in no archive",
      { data: { encoding: "plain", mount: "/data", ref: VM.replace(/^./, "0"), use_latest: false } },
      /zip archive or a squashfs/,
    ],
  ];
  for (const [what, content, reason] of refused) {
    test(`is refused with the reason: ${what}`, () => {
      assert.throws(
        () => plan(content),
        (error: unknown) => error instanceof ExecutionError && reason.test(error.message),
      );
    });
  }

  test("whatever mount it names is refused, or lies in a folder of its own", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `/${text}`),
        ),
        (mount) => {
          try {
            const [volume] = plan({ volumes: [image({ mount })] }).volumes;
            assert.match(volume?.mount ?? "", /^\/./);
            assert.ok(!(volume?.mount ?? "").split("/").includes(".."));
          } catch (error) {
            assert.ok(error instanceof ExecutionError);
          }
        },
      ),
    );
  });
});

describe("files of a program", () => {
  const cacheOf = (
    path: string,
    fails: Readonly<Record<string, ImageError>> = {},
  ): FileCache & { readonly held: string[] } => {
    const held: string[] = [];
    return {
      held,
      acquire: async (hash) => {
        const error = fails[hash];
        if (error !== undefined) throw error;
        held.push(hash);
        return { path, sizeBytes: 1, sha256: "", release: () => void held.splice(held.indexOf(hash), 1) };
      },
    };
  };
  const signal = AbortSignal.timeout(10_000);

  test("that are no images are refused before a machine sees them, and nothing is held", async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, "file");
    await writeFile(path, "this is no file system".repeat(100));
    const cache = cacheOf(path);
    await assert.rejects(acquireProgramFiles(plan({}), cache, signal), {
      code: "IMAGE_INVALID",
      message: /squashfs/,
    });
    assert.deepEqual(cache.held, []);
  });

  test("that nobody has, or that are too large, are told of as what they are", async () => {
    const missing = new ImageError("FILE_NOT_FOUND", "nobody has it");
    const large = new ImageError("FILE_TOO_LARGE", "it has 11 MB");
    const runtime = hashOf("runtime");
    for (const [error, code] of [
      [missing, "IMAGE_DOWNLOAD_FAILED"],
      [large, "IMAGE_INVALID"],
    ] as const) {
      await assert.rejects(acquireProgramFiles(plan({}), cacheOf("", { [runtime]: error }), signal), {
        code,
      });
    }
  });
});
