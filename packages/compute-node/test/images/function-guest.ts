import { constants, copyFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@twentysix/platform";
import type { JsonObject } from "@twentysix/protocol";
import { GuestConnection } from "../../src/functions/transport/guest-connection.ts";
import type { RunningVm } from "../../src/hypervisor/hypervisor.ts";
import type { DriveSpec, VmSpec } from "../../src/hypervisor/vm-spec.ts";
import { functionRuntime, type RuntimeKind } from "../../src/images/build/function-runtimes.ts";
import { hostImages } from "../../src/images/build/host-images.ts";
import type { TestHost } from "../hypervisor/support/test-host.ts";
import { buildOptions, IMAGES_FOLDER } from "./support.ts";

/** A machine of a function, and the connection to its agent. */
export interface FunctionGuest extends AsyncDisposable {
  readonly vm: RunningVm;
  readonly connection: GuestConnection;
  /** Streams that the guest opened to its API, in order. */
  readonly apiStreams: AsyncIterator<Duplex>;
}

export const VM_HASH = "5f".repeat(32);

/** Kernel, initial file system and the drive of a runtime, in the folder of a host. */
export async function functionSpec(
  host: TestHost,
  vmNumber: number,
  kind: RuntimeKind,
  changes: Partial<VmSpec> = {},
  signal: AbortSignal,
): Promise<VmSpec> {
  const { kernelPath, initrdPath } = await hostImages(IMAGES_FOLDER, buildOptions(signal));
  const { squashfsPath } = await functionRuntime(IMAGES_FOLDER, kind, buildOptions(signal));
  const kernel = {
    kernelPath: await inHost(host, kernelPath, "vmlinuz"),
    initrdPath: await inHost(host, initrdPath, "initrd"),
    arguments: [],
  };
  const path = await inHost(host, squashfsPath, `${kind}.squashfs`);
  const runtime: DriveSpec = { path, format: "raw", isReadOnly: true, media: "disk" };
  const drives = [runtime, ...(changes.drives ?? [])];
  const network = {
    kind: "user",
    macAddress: "52:54:00:12:34:56",
    hasInternet: false,
    forwards: [],
  } as const;
  return host.spec(vmNumber, { memoryMib: 256, network, kernel, ...changes, drives });
}

async function inHost(host: TestHost, path: string, name: string): Promise<string> {
  const copy = join(host.dir, name);
  await copyFile(path, copy, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch((error) => {
    if (error.code !== "EEXIST") throw error;
  });
  return copy;
}

export async function startFunctionGuest(
  host: TestHost,
  spec: VmSpec,
  signal: AbortSignal,
): Promise<FunctionGuest> {
  const vm = await host.hypervisor.start(spec, signal);
  const guest = await connectFunctionGuest(vm, signal);
  return guest;
}

export async function connectFunctionGuest(vm: RunningVm, signal: AbortSignal): Promise<FunctionGuest> {
  const streams: Duplex[] = [];
  let wake = (): void => undefined;
  const connection = await GuestConnection.connect(
    {
      socketPath: join(vm.runDir, "channel-aleph.52.sock"),
      clock: createSystemClock(),
      timers: createSystemTimers(),
      random: createSystemRandom(),
      onApiStream: (stream) => {
        streams.push(stream);
        wake();
      },
      maxStreams: 100,
    },
    signal,
  );
  async function* apiStreams(): AsyncGenerator<Duplex> {
    for (;;) {
      const stream = streams.shift();
      if (stream !== undefined) yield stream;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    vm,
    connection,
    apiStreams: apiStreams(),
    async [Symbol.asyncDispose]() {
      connection.close();
      await vm.kill();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request to the port 8080 of a guest. */
export function get({ connection }: FunctionGuest, path: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { path, headers: { host: "guest", connection: "close" }, signal };
    request({ ...options, createConnection: () => connection.openHttp() })
      .on("response", (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      })
      .on("error", reject)
      .end();
  });
}

export function program(code: string | Uint8Array, changes: JsonObject = {}): JsonObject {
  return {
    vmHash: VM_HASH,
    interface: "asgi",
    encoding: "plain",
    entrypoint: "app",
    args: [],
    codeBase64: Buffer.from(code).toString("base64"),
    codeDevice: null,
    dataBase64: null,
    volumes: [],
    variables: {},
    network: null,
    authorizedKeys: [],
    hostname: "guest-of-a-test",
    wantsLifespan: true,
    ...changes,
  };
}
