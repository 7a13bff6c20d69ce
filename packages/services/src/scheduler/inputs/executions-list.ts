import type { Observation } from "../model/node.ts";
import type { VmAddresses } from "../model/vm.ts";
import { at, isLoose, numberOf, textOf } from "./json-reading.ts";

const MAX_ENTRIES = 10_000;
const MAX_KEY = 128;
const MAX_PORTS = 256;
const MAX_FAILURE_TEXT = 500;
const MAX_ADDRESS = 64;

export type Observations = { readonly [vmHash: string]: Observation };

/**
 * Reads a list of executions of version 1 or 2. Whatever is listed is there: a strange entry hides neither itself nor
 * the others. What runs on demand is left out. null: it is no list.
 */
export function readExecutionsList(json: unknown): Observations | null {
  if (!isLoose(json)) return null;
  const entries = Object.entries(json).slice(0, MAX_ENTRIES);
  return Object.fromEntries(
    entries.flatMap(([hash, entry]) =>
      hash.length > MAX_KEY || isOnDemand(entry) ? [] : [[hash, readEntry(entry)] as const],
    ),
  );
}

/** Programs that visitors started are nobody's to place, whatever else their message says. */
const isOnDemand = (entry: unknown): boolean => /^micro_?vm$/.test(textOf(at(entry, "vm_type")) ?? "");

function readEntry(entry: unknown): Observation {
  return {
    // Version 1 lists only what runs.
    isRunning: at(entry, "running") !== false,
    failure: at(entry, "state") === "failed" ? failureOf(entry) : null,
    isAwaitingOwner: at(entry, "awaiting_confidential_init") === true,
    addresses: addressesOf(at(entry, "networking")),
  };
}

const failureOf = (entry: unknown): string =>
  (textOf(at(entry, "reason", "text")) ?? "no reason given").slice(0, MAX_FAILURE_TEXT);

function addressOf(value: unknown): string | null {
  const text = textOf(value);
  return text === null || text.length > MAX_ADDRESS ? null : text;
}

function addressesOf(networking: unknown): VmAddresses | null {
  if (!isLoose(networking)) return null;
  const ipv6 = addressOf(at(networking, "ipv6_ip")) ?? firstGuest(addressOf(at(networking, "ipv6")));
  const hostIpv4 = addressOf(at(networking, "host_ipv4"));
  const mappedPorts = portsOf(at(networking, "mapped_ports"));
  if (ipv6 === null && hostIpv4 === null && Object.keys(mappedPorts).length === 0) return null;
  return { ipv6, hostIpv4, mappedPorts };
}

/** The guest's address in a network that ends in 0, as clients derive it from lists of version 1. */
function firstGuest(network: string | null): string | null {
  const address = network?.split("/")[0] ?? null;
  return address === null ? null : address.replace(/0$/, "1");
}

function portsOf(ports: unknown): VmAddresses["mappedPorts"] {
  if (!isLoose(ports)) return {};
  const entries = Object.entries(ports).slice(0, MAX_PORTS);
  return Object.fromEntries(
    entries.flatMap(([guest, value]) => {
      const host = numberOf(at(value, "host"));
      if (!/^\d{1,5}$/.test(guest) || host === null) return [];
      return [[guest, { host, tcp: at(value, "tcp") === true, udp: at(value, "udp") === true }] as const];
    }),
  );
}
