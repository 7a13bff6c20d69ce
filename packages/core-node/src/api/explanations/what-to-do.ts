import type { ErrorName } from "@twentysix/protocol";

/** What whoever sent a message that failed with an error can do. */
export const WHAT_TO_DO: Readonly<Record<ErrorName, string>> = {
  INTERNAL_ERROR: "tell the operator of the node: it is a defect",
  SIGNATURE_UNDECIDED: "wait: the message is judged when the chain of its sender could be asked",
  INVALID_FORMAT: "correct what the details name, and sign the message again",
  INVALID_SIGNATURE: "sign the exact text that the protocol names with the key of the sender",
  PERMISSION_DENIED: "sign with the key of the owner, or have him grant the right in his security aggregate",
  CONTENT_UNAVAILABLE: "upload the content; the message is tried again when it arrives",
  FILE_UNAVAILABLE: "upload the file; the message is tried again when it arrives",
  BALANCE_INSUFFICIENT: "hold the tokens that are missing, forget other messages, or pay with credits",
  CREDIT_INSUFFICIENT: "buy the credits that are missing, or forget other messages",
  POST_AMEND_NO_TARGET: "name the original post in ref",
  POST_AMEND_TARGET_NOT_FOUND: "publish the original post; the amend is tried again when it arrives",
  POST_AMEND_AMEND: "name the original post in ref instead of one of its amends",
  STORE_REF_NOT_FOUND: "publish the STORE that ref names; this one is tried again when it arrives",
  STORE_UPDATE_UPDATE: "name the first version of the file in ref instead of a later one",
  INVALID_PAYMENT_METHOD: "sign the message again with payment type credit",
  VM_REF_NOT_FOUND: "publish the machine that replaces names; this one is tried again when it arrives",
  VM_VOLUME_NOT_FOUND:
    "publish the STOREs that the details name; the machine is tried again when they arrive",
  VM_AMEND_NOT_ALLOWED: "publish a new machine: this one does not allow updates",
  VM_UPDATE_UPDATE: "name the first version of the machine in replaces instead of a later one",
  VM_VOLUME_TOO_SMALL: "make the volume at least as large as the file that it starts from",
  FORGET_NO_TARGET: "name the hashes or aggregates that are to be forgotten",
  FORGET_TARGET_NOT_FOUND: "publish what is to be forgotten; the FORGET is tried again when it arrives",
  FORGET_FORGET: "a FORGET cannot be forgotten: publish the message again instead",
  FORGET_NOT_ALLOWED: "forget the machines that use the file first",
  FORGOTTEN_DUPLICATE: "publish it with another content: what is forgotten stays forgotten",
};
