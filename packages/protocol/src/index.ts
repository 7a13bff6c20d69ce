/** The public surface of the protocol: what a message is, and how it is read, checked, signed and written. */
export {
  type Account,
  bufferFieldsOf,
  type FieldsToSign,
  type LocalAccount,
  type TextAccount,
} from "./accounts/account.ts";
export { AccountError, type AccountErrorCode } from "./accounts/account-error.ts";
export { type AvalancheAccountOptions, createAvalancheAccount } from "./accounts/avalanche-account.ts";
export { type CosmosAccountOptions, createCosmosAccount } from "./accounts/cosmos-account.ts";
export {
  createEvmAccount,
  type EvmAccountOptions,
  type EvmChain,
  type LenientEvmChain,
} from "./accounts/evm-account.ts";
export { createNulsAccount, type NulsAccountOptions } from "./accounts/nuls-account.ts";
export { createNuls2Account, type Nuls2AccountOptions } from "./accounts/nuls2-account.ts";
export {
  nobleSecp256k1Signer,
  type RecoverableSignature,
  type Secp256k1Signer,
} from "./accounts/secp256k1-signer.ts";
export { createSolanaAccount, type SolanaAccountOptions } from "./accounts/solana-account.ts";
export { createSubstrateAccount, type SubstrateAccountOptions } from "./accounts/substrate-account.ts";
export { createTezosAccount, type TezosAccountOptions } from "./accounts/tezos-account.ts";
export { CHAIN_FAMILIES, CHAINS, type Chain, isChain, type SignatureFamily } from "./chains.ts";
export type { AggregateContent } from "./content/aggregate-content.ts";
export {
  type CommonFields,
  type LatestRef,
  MAX_CONTENT_TIME_SECONDS,
} from "./content/common-fields.ts";
export { type CompleteContentResult, completeContent, parseContentText } from "./content/complete-content.ts";
export { contentTimeMicros, labelOf, ownerOf, refOf, tagsOf } from "./content/content-facts.ts";
export type { ExecutableFields } from "./content/executable.ts";
export type { ForgetContent } from "./content/forget-content.ts";
export type {
  CpuProperties,
  GpuProperties,
  HostRequirements,
  NodeRequirements,
} from "./content/host-requirements.ts";
export type { InstanceContent, RootfsVolume } from "./content/instance-content.ts";
export type { MachineResources, PublishedPort } from "./content/machine-resources.ts";
export type { Payment, PaymentType } from "./content/payment.ts";
export type { ChainRef, PostContent } from "./content/post-content.ts";
export {
  type CodeContent,
  type DataContent,
  type Encoding,
  type FunctionTriggers,
  interfaceOf,
  type ProgramContent,
  type ProgramInterface,
} from "./content/program-content.ts";
export { type FileReference, type ReferenceKind, referencedHashes } from "./content/referenced-hashes.ts";
export type { StoreContent } from "./content/store-content.ts";
export {
  DEFAULT_SNP_POLICY,
  type LaunchMeasurement,
  type SevSnpRegisters,
  type TdxRegisters,
  type TeePlatform,
  type TrustedExecution,
} from "./content/trusted-execution.ts";
export {
  type ContentByType,
  type ContentResult,
  type TypedContent,
  validateContent,
} from "./content/validate-content.ts";
export type { ContentSwitches } from "./content/validation.ts";
export type { FunctionEnvironment, InstanceEnvironment } from "./content/vm-environment.ts";
export {
  type EphemeralVolume,
  type ImmutableVolume,
  isEphemeralVolume,
  isImmutableVolume,
  isPersistentVolume,
  MAX_PERSISTENT_SIZE_MIB,
  type MachineVolume,
  type PersistentVolume,
  type VolumePersistence,
} from "./content/volumes.ts";
export type { TeeVerification, VerifiedFile, VProgramContent } from "./content/vprogram-content.ts";
export { decodeGossipPayload } from "./envelope/gossip-payload.ts";
export {
  type EnvelopeOptions,
  type EnvelopeResult,
  MAX_ITEM_CONTENT_CHARACTERS,
  parseEnvelope,
} from "./envelope/parse-envelope.ts";
export { serialiseEnvelope } from "./envelope/serialise-envelope.ts";
export {
  type Envelope,
  ITEM_TYPES,
  type ItemType,
  MESSAGE_TYPES,
  type MessageType,
  type SignedFields,
} from "./envelope.ts";
export {
  ERROR_TABLE,
  type ErrorDefinition,
  type ErrorDetails,
  type ErrorName,
  type ForgetTarget,
  type FormatProblem,
  type SignatureWhy,
  type VolumeTooSmall,
} from "./errors/error-table.ts";
export {
  errorOfCode,
  invalidFormat,
  isRetryable,
  type MessageError,
  messageError,
} from "./errors/message-error.ts";
export { decodeBase32, encodeBase32 } from "./hash/base32.ts";
export { decodeLowerHex, encodeHex } from "./hash/hex.ts";
export {
  type ItemHashSwitches,
  isItemHash,
  itemTypeOfHash,
  looseItemTypeOfHash,
  type StoredItemType,
} from "./hash/item-hash.ts";
export { decodeItemHash, encodeItemHash } from "./hash/item-hash-bytes.ts";
export { nobleSha256, type Sha256, sha256Hex, sha256OfText } from "./hash/sha256-hash.ts";
export { type CanonicaliseResult, canonicaliseJsonText } from "./json/canonicalise-json.ts";
export { compareCodePoints } from "./json/code-point-order.ts";
export {
  isFloatMember,
  isJsonObject,
  type JsonArray,
  type JsonObject,
  type JsonValue,
  memberOf,
  setMember,
} from "./json/json-value.ts";
export { type JsonParseResult, parseJson } from "./json/parse-json.ts";
export { sliceElements, sliceMember, sliceMembers, type TextRange } from "./json/slice-json.ts";
export { stringifyCanonicalJson, stringifyJson } from "./json/stringify-json.ts";
export { decodeUtf8, encodeUtf8 } from "./json/utf8.ts";
export { type BalanceUpdate, readBalancePost } from "./ledger/balance-post.ts";
export {
  type CreditDistribution,
  type CreditExpense,
  type CreditGrant,
  type CreditTransferEntry,
  readCreditDistribution,
  readCreditExpense,
  readCreditTransfer,
} from "./ledger/credit-post.ts";
export type { LedgerContentResult } from "./ledger/ledger-checks.ts";
export type { Authorities } from "./network/authorities.ts";
export {
  type Durability,
  type DurabilityClass,
  durabilityOf,
  type ErasureRule,
  MAX_SHARDS,
} from "./network/durability.ts";
export type { ChainSync, NetworkChain, StreamContracts } from "./network/network-chains.ts";
export {
  type Bootstrap,
  type DevelopmentAccount,
  type NetworkDefinition,
  type NetworkDefinitionResult,
  networkHash,
  parseNetworkDefinition,
} from "./network/network-definition.ts";
export type { Cutovers, NetworkLimits } from "./network/network-rules.ts";
export type {
  CompatibleGpu,
  NetworkSettings,
  PriceList,
  PriceRow,
  PriceTier,
  ProductPrices,
} from "./network/price-list.ts";
export {
  type Authorization,
  type AuthorizationRequest,
  authorizationsOf,
  authorizationsOfContent,
  authorizes,
  SECURITY_AGGREGATE_KEY,
} from "./permissions/authorization.ts";
export {
  decidePermission,
  isSecurityAggregate,
  type PermissionDecision,
} from "./permissions/decide-permission.ts";
export { isOwnerItself } from "./permissions/owner.ts";
export { ATTO_DIGITS, floorToAtto, formatAtto, PriceDecimal, parseAtto } from "./pricing/amount.ts";
export {
  type CostAmounts,
  type CostLine,
  type CostType,
  MIN_CREDIT_ATTO_PER_SECOND,
} from "./pricing/cost-line.ts";
export {
  type CostInput,
  dueAtto,
  type MessageCost,
  messageCost,
  mibOfBytes,
  type PaymentType as PricedPaymentType,
  paymentTypeOf,
  type StoreCostInput,
  storeCost,
} from "./pricing/message-cost.ts";
export { type PriceBook, priceBookOf } from "./pricing/price-book.ts";
export { PricingError, type PricingErrorCode } from "./pricing/pricing-error.ts";
export {
  type PriceListResult,
  priceListWarnings,
  readNetworkSettings,
  readPriceList,
} from "./pricing/read-price-list.ts";
export type { PricedFile, SizeOf } from "./pricing/volume-cost.ts";
export {
  type ContractQuestion,
  contractChainsOf,
  contractQuestionOf,
} from "./signature/contract-question.ts";
export type { CryptoProvider } from "./signature/crypto-provider.ts";
export { evmChecksumAddress } from "./signature/evm-address.ts";
export type { VerificationContext } from "./signature/family-verifier.ts";
export { nobleCrypto } from "./signature/noble-crypto.ts";
export { signatureIdentity } from "./signature/signature-identity.ts";
export { recoverEvmSigner, verifySolanaBytes } from "./signature/signed-bytes.ts";
export { DEFAULT_SIGNATURE_SWITCHES, type SignatureSwitches } from "./signature/switches.ts";
export type { SignatureEvidence, SignatureVerdict } from "./signature/verdict.ts";
export { type BufferFields, verificationBuffer, verificationText } from "./signature/verification-buffer.ts";
export { verifySignature } from "./signature/verify-signature.ts";
export {
  effectiveSwitches,
  NORMATIVE_SWITCHES,
  PROTOCOL_SWITCHES,
  type ProtocolSwitches,
  type SwitchDefinition,
  type SwitchKind,
  type SwitchName,
} from "./switches/protocol-switches.ts";
export {
  END_TIME_SECONDS,
  formatIsoOffset,
  formatIsoZ,
  formatTime,
  MIN_TIME_SECONDS,
  microsOfSeconds,
} from "./time/micros.ts";
