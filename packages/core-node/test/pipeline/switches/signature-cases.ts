import {
  createEvmAccount,
  createNulsAccount,
  createSubstrateAccount,
  type LocalAccount,
} from "@twentysix/protocol";
import { envelope, evmAs, post, type Signed, withEnvelope } from "../support/signed.ts";
import { tell, told } from "../support/told.ts";
import type { ActingSwitch } from "./switch-case.ts";

/* Switches that decide which signatures are valid. */

const KEY = new Uint8Array(32).fill(11);
const TIME = 1_700_000_000;
const REFUSED = "rejected 1";

export const nulsRealFormat: ActingSwitch = {
  observe: (node) => tell(node, post(createNulsAccount({ privateKey: KEY }), TIME, "real")),
  on: ["processed"],
  off: [REFUSED],
};

/** Signed over the printable form, as no account of ours does: with the key above, as a fixed vector. */
function printablySigned(): Signed {
  const account = createNulsAccount({ privateKey: KEY });
  const content = `{"address":"${account.address}","time":${TIME},"type":"note","content":{"body":"printable"}}`;
  const signature =
    "2102552c630b64b54bf50210c9e253d38bd4949c72e22873500f6285c2bede312a840046304402202fbabe383d9703008d193d916f" +
    "769bcae262032661de6595314af9e32b5b62b402205a4b7b25b450da1c4a060eaa3caa8b31d4f51d05341827a6215a27ae69c9c829";
  return withEnvelope(envelope(account, "POST", content, { time: TIME }), { signature });
}

export const nulsPrintableForm: ActingSwitch = {
  observe: (node) => tell(node, printablySigned()),
  on: ["processed"],
  off: [REFUSED],
};

function withoutPrefix(account: LocalAccount): Signed {
  const message = post(account, TIME, "bare");
  const { signature } = JSON.parse(message.text) as { signature: string };
  return withEnvelope(message, { signature: signature.replace("0x", "") });
}

export const substrateHexWithoutPrefix: ActingSwitch = {
  observe: (node) => tell(node, withoutPrefix(createSubstrateAccount({ seed: KEY }))),
  on: ["processed"],
  off: [REFUSED],
};

export const evmForUnverifiedChains: ActingSwitch = {
  observe: (node) => {
    const accounts = (["AURORA", "STT", "AVAX"] as const).map((chain) =>
      createEvmAccount({ privateKey: KEY, chain }),
    );
    return tell(node, ...accounts.map((account) => post(account, TIME, account.chain)));
  },
  on: ["processed", "processed", "processed"],
  off: ["rejected 0", "rejected 0", REFUSED],
};

/** What an ERC-6492 signature ends with. */
const ERC_6492_MAGIC = "6492".repeat(16);

/** Messages of a contract: signed with the key of its holder, bare (ERC-1271) and wrapped (ERC-6492). */
function ofContractWallet(): Signed[] {
  const contract = evmAs("holder of a contract wallet", `0x${"c0".repeat(20)}`);
  const wrapped = post(contract, TIME, "ERC-6492");
  const { signature } = JSON.parse(wrapped.text) as { signature: string };
  const suffixed = withEnvelope(wrapped, { signature: `${signature}${ERC_6492_MAGIC}` });
  return [post(contract, TIME, "ERC-1271"), suffixed];
}

/** What their chain makes of them is in `test/chain/contract-wallets.test.ts`. */
export const contractWallets: ActingSwitch = {
  async observe(node) {
    const messages = ofContractWallet();
    for (const { text } of messages) await node.submit(text);
    return messages.map((message) => told(node, message));
  },
  on: ["pending", "pending"],
  off: [REFUSED, REFUSED],
};
