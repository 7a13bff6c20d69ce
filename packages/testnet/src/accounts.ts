import type { NetworkDefinition } from "@twentysix/protocol";

/** An account with funds whose key everybody knows. */
export interface TestnetAccount {
  readonly chain: "ETH" | "SOL";
  readonly address: string;
  /** 64 hexadecimal digits, after `0x` for Ethereum. */
  readonly privateKey: string;
  /** What the network's definition calls it: `alice`. */
  readonly role: string;
}

/** The accounts for development, those of plain users before those that are authorities. */
export function accountsOf({
  developmentAccounts,
  authorities,
}: Pick<NetworkDefinition, "developmentAccounts" | "authorities">): readonly TestnetAccount[] {
  const authorityText = JSON.stringify(authorities);
  const isAuthority = ({ address }: TestnetAccount): boolean => authorityText.includes(`"${address}"`);
  const accounts = developmentAccounts.map(
    ({ chain, address, role, insecurePrivateKey }): TestnetAccount => ({
      chain,
      address,
      privateKey: chain === "ETH" ? `0x${insecurePrivateKey}` : insecurePrivateKey,
      role,
    }),
  );
  return [
    ...accounts.filter((account) => !isAuthority(account)),
    ...accounts.filter((account) => isAuthority(account)),
  ];
}
