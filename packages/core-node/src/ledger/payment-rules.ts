import type { PaymentRule } from "@twentysix/state";

/** What each rule of payment says, and what would change its outcome. */
export const PAYMENT_RULES: Readonly<
  Record<PaymentRule, { readonly says: string; readonly changes: string }>
> = {
  "free-by-date": {
    says: "files and functions on demand of before the network's cut-over date are free",
    changes: "nothing: it stays free",
  },
  "free-by-size": {
    says: "a file of at most the free size costs nothing while tokens are held",
    changes: "a larger file has to be paid for",
  },
  "free-in-debt": {
    says: "a message that costs nothing is accepted whatever its owner owes",
    changes: "nothing: it stays free",
  },
  "stream-watched-by-node": {
    says: "a stream is not looked at here: the compute node that runs the machine watches it",
    changes: "keep the streams to the node's operator and to the community wallet flowing",
  },
  "credit-only": {
    says: "from the network's cut-over date on everything is paid with credits",
    changes: "sign the message again with payment type credit",
  },
  "credit-only-machines": {
    says: "from the network's cut-over date on instances and persistent programs are paid with credits",
    changes: "sign the message again with payment type credit",
  },
  "credit-only-verifiable": {
    says: "a verifiable program is paid with credits",
    changes: "sign the message again with payment type credit",
  },
  "funds-suffice": {
    says: "the funds of the owner cover everything that he pays for in this way, and this",
    changes: "it is marked for removal when the funds no longer reach for it",
  },
  "funds-exceeded-elsewhere": {
    says: "other nodes accepted it beyond the funds of the owner; the latest messages that the funds do not cover are removed after the grace",
    changes: "add funds, or forget other messages",
  },
  "funds-missing": {
    says: "the funds of the owner do not cover everything that he pays for in this way, and this",
    changes:
      "add what is missing, forget other messages, or choose another payment type that the network allows",
  },
};
