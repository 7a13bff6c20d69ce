import { post, rawAccount, signRaw } from "./raw-messages.ts";
import { evmAccount, sdkClient } from "./sdk-client.ts";

/** Machines that are submitted, and how many of them a test pays for. */
export const MACHINES = 200;
export const FUNDED = 50;
/** Whole tokens that each of them holds, and credits that each needs to start. */
export const TOKENS_EACH = 1_000;
export const CREDITS_EACH = 342_000;

interface Door {
  readonly apiUrl: string;
  readonly wsUrl: string;
}

/** The STORE of a small file, which machines start from. */
async function image(node: Door): Promise<string> {
  const file = new TextEncoder().encode("an image to start from");
  const { itemHash } = await sdkClient(node).storeFile({ account: evmAccount("image"), file, sync: true });
  return itemHash;
}

/** Submits machines all at once; how many ended with each status. */
export async function submitMachines(
  node: Door,
  label: string,
  payment: "hold" | "credit",
): Promise<{ readonly hashes: readonly string[]; readonly ends: Readonly<Record<string, number>> }> {
  const account = rawAccount(label);
  const rootfs = await image(node);
  const signed = await Promise.all(
    Array.from({ length: MACHINES }, async (_, index) => {
      const parent = { ref: rootfs, use_latest: false };
      const content = {
        allow_amend: false,
        environment: {},
        resources: { vcpus: 1, memory: 2048 },
        rootfs: { parent, persistence: "host", size_mib: 20480 },
        volumes: [],
        payment: { chain: "ETH", type: payment },
      };
      const members = JSON.stringify(content).slice(1, -1);
      return await signRaw({ type: "INSTANCE", account, members, time: String(1_790_000_000 + index) });
    }),
  );
  const ends: Record<string, number> = {};
  await Promise.all(
    signed.map(async ({ envelope }) => {
      const { text } = await post(node, "/api/v0/messages", `{"sync":true,"message":${envelope}}`);
      const { message_status: status } = JSON.parse(text) as { message_status: string };
      ends[status] = (ends[status] ?? 0) + 1;
    }),
  );
  return { hashes: signed.map(({ itemHash }) => itemHash), ends };
}
