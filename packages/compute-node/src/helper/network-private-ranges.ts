/** What is nobody's on the public internet: other networks of this host, its links, itself. Source: RFC 6890. */
export const PRIVATE_IPV4: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/3",
];

/**
 * Where a private address of IPv4 stands in one of IPv6: behind the prefix that translators (NAT64) have everywhere, and
 * behind that of 6to4. What they make of public addresses stays reachable: a host may have no other way to IPv4. Source:
 * RFC 6052, RFC 3056.
 */
const EMBEDDED_IPV4: readonly string[] = PRIVATE_IPV4.flatMap((range) => {
  const [address = "", length = ""] = range.split("/");
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const groups = [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(":");
  return [`64:ff9b::${groups}/${96 + Number(length)}`, `2002:${groups}::/${16 + Number(length)}`];
});

/** With addresses that stand for those of IPv4, and all of the prefix that local translators have (RFC 8215). */
export const PRIVATE_IPV6: readonly string[] = [
  ...EMBEDDED_IPV4,
  "::/127",
  "::ffff:0:0/96",
  "64:ff9b:1::/48",
  "fc00::/7",
  "fe80::/10",
  "ff00::/8",
];
