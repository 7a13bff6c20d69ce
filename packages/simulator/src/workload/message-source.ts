import { pick, type Random } from "@twentysix/platform";
import type { LocalAccount } from "@twentysix/protocol";
import type { GeneratedFile, GeneratedFiles } from "../disk/generated-file.ts";
import { happens } from "../random-for.ts";
import { AUTHORITIES, accountOf } from "./accounts.ts";
import { type MessageDraft, type SignedMessage, signMessage } from "./signed-message.ts";

/** A message, and the file that a STORE names. */
export interface Drafted extends SignedMessage {
  readonly kind: string;
  readonly file: GeneratedFile | null;
  readonly fileHash: string | null;
}

export interface MessageSourceOptions {
  readonly random: Random;
  readonly files: GeneratedFiles;
  readonly nowSeconds: () => number;
  readonly users: number;
  readonly fileSize: (random: Random) => number;
  /** Of a hundred messages so many are STOREs with a file; 0: those that are asked for alone, and none is forgotten. */
  readonly storePercent: number;
}

interface Item {
  readonly hash: string;
  readonly owner: LocalAccount;
}

/** Of a thousand posts so many have their content beside them. */
const APART_PER_MILLE = 150;
const CREDITS_EACH = 1_000_000_000;
const TOKENS_EACH = 1_000_000;

/** What the clients of a simulated network sign: messages of all kinds that refer to one another. */
export class MessageSource {
  readonly #options: MessageSourceOptions;
  readonly #users: readonly LocalAccount[];
  readonly #posts: Item[] = [];
  readonly #stores: Item[] = [];
  readonly #grants: { readonly owner: LocalAccount; readonly delegate: LocalAccount }[] = [];
  #count = 0;

  constructor(options: MessageSourceOptions) {
    this.#options = options;
    this.#users = Array.from({ length: options.users }, (_, n) => accountOf(`user ${n}`));
  }

  get addresses(): readonly string[] {
    return this.#users.map(({ address }) => address);
  }

  /** What the authorities publish before anybody can pay. */
  funding(): readonly SignedMessage[] {
    const balances = Object.fromEntries(this.addresses.map((address) => [address, TOKENS_EACH]));
    const credits = this.addresses.map((address) => ({
      ...{ address, amount: CREDITS_EACH, price: "0.0000573", tx_hash: "0xabc", provider: "ALEPH" },
    }));
    return [
      this.#sign(AUTHORITIES.balances, "POST", {
        type: "balances-update",
        content: { chain: "ETH", main_height: 1, balances },
      }),
      this.#sign(
        AUTHORITIES.credits,
        "POST",
        {
          type: "aleph_credit_distribution",
          content: { distribution: { token: "ALEPH", chain: "ETH", credits } },
        },
        { channel: "ALEPH_CREDIT" },
      ),
    ];
  }

  next(): Drafted {
    const { random, storePercent } = this.#options;
    this.#count += 1;
    const user = this.#user();
    const kind = random.uniform(100);
    if (kind < storePercent) return this.store(user);
    if (kind < storePercent + 8) return this.#transfer(user);
    if (kind < storePercent + 14 && this.#posts.length > 0) return this.#forget();
    if (kind < storePercent + 30 && this.#posts.length > 0) return this.#amend();
    if (kind < storePercent + 45) return this.#aggregate(user);
    if (kind < storePercent + 48) return this.#grant(user);
    if (kind < storePercent + 55 && this.#grants.length > 0) return this.#delegated();
    return this.#post(user);
  }

  #user(): LocalAccount {
    return pick(this.#options.random, this.#users) ?? accountOf("user 0");
  }

  #post(user: LocalAccount): Drafted {
    const content = { type: "note", content: { body: `note ${this.#count}`, tags: [`t${this.#count % 5}`] } };
    const isApart = happens(this.#options.random, APART_PER_MILLE);
    const message = this.#sign(user, "POST", content, { isApart });
    this.#posts.push({ hash: message.hash, owner: user });
    return plain("post", message);
  }

  /** One account lets another one write for it. */
  #grant(owner: LocalAccount): Drafted {
    const delegate = this.#user();
    this.#grants.push({ owner, delegate });
    const ofOwner = this.#grants.filter((grant) => grant.owner === owner);
    const authorizations = ofOwner.map(({ delegate: { address } }) => ({ address }));
    return plain("grant", this.#sign(owner, "AGGREGATE", { key: "security", content: { authorizations } }));
  }

  #delegated(): Drafted {
    const grant = pick(this.#options.random, this.#grants);
    if (grant === undefined) throw new Error("Nobody may write for another one yet");
    const content = { type: "note", content: { body: `delegated ${this.#count}` } };
    return plain("delegated", this.#sign(grant.delegate, "POST", content, { owner: grant.owner.address }));
  }

  #amend(): Drafted {
    const original = this.#known(this.#posts);
    const content = { type: "amend", ref: original.hash, content: { body: `amended ${this.#count}` } };
    return plain("amend", this.#sign(original.owner, "POST", content));
  }

  #aggregate(user: LocalAccount): Drafted {
    const { random } = this.#options;
    const [key, field] = [`key ${random.uniform(4)}`, `field ${random.uniform(6)}`];
    return plain("aggregate", this.#sign(user, "AGGREGATE", { key, content: { [field]: this.#count } }));
  }

  #forget(): Drafted {
    const { random, storePercent } = this.#options;
    const isFile = storePercent > 0 && this.#stores.length > 0 && happens(random, 250);
    const { hash, owner } = this.#known(isFile ? this.#stores : this.#posts);
    return plain("forget", this.#sign(owner, "FORGET", { hashes: [hash], reason: `because ${this.#count}` }));
  }

  #transfer(user: LocalAccount): Drafted {
    const amount = 1 + this.#options.random.uniform(1_000);
    const others = this.#users.filter((other) => other !== user);
    const { address } = pick(this.#options.random, others) ?? AUTHORITIES.prices;
    const content = { transfer: { credits: [{ address, amount }] } };
    const post = { type: "aleph_credit_transfer", content };
    return plain("transfer", this.#sign(user, "POST", post, { channel: "ALEPH_CREDIT" }));
  }

  /** A file and the message that stores it. */
  store(user: LocalAccount = this.#user()): Drafted {
    const { random, files, fileSize } = this.#options;
    const file = files.create(fileSize(random));
    const fileHash = files.sha256(file);
    const content = { item_type: "storage", item_hash: fileHash };
    const message = this.#sign(user, "STORE", content);
    this.#stores.push({ hash: message.hash, owner: user });
    return { ...message, kind: "store", file, fileHash };
  }

  /** Newer ones more often: those that not every node has yet. */
  #known(items: readonly Item[]): Item {
    const { random } = this.#options;
    const recent = happens(random, 600) ? items.slice(-8) : items;
    const item = pick(random, recent);
    if (item === undefined) throw new Error("There is nothing to refer to yet");
    return item;
  }

  #sign(
    account: LocalAccount,
    type: MessageDraft["type"],
    content: Readonly<Record<string, unknown>>,
    further: Pick<MessageDraft, "channel" | "isApart" | "owner"> = {},
  ): SignedMessage {
    // No two messages of one moment are the same.
    const timeSeconds = this.#options.nowSeconds() + (this.#count % 1_000) / 1e6;
    return signMessage({ account, type, timeSeconds, content, ...further });
  }
}

const plain = (kind: string, message: SignedMessage): Drafted => ({
  ...message,
  kind,
  file: null,
  fileHash: null,
});
