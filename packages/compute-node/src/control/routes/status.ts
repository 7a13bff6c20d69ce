import type { FastifyInstance } from "fastify";
import { publicUrlOf } from "../../compute-settings.ts";
import { checkFastapi } from "../checks/check-fastapi.ts";
import { checkHost, hasIpv6Egress } from "../checks/check-host.ts";
import { compareVersions } from "../checks/compare-versions.ts";
import type { ControlServices } from "../control-services.ts";
import { ControlError } from "../errors.ts";
import { clientSignal } from "../http/machine-route.ts";
import { queryFlag, queryText } from "../http/query.ts";
import { sendJson, sendText } from "../http/send.ts";

/** `/status/…`: what clients and rankings look at before they choose a node. Source: aleph-vm `views/__init__.py`. */
export function addStatusRoutes(app: FastifyInstance, services: ControlServices, apiUrl: () => string): void {
  const { settings, version, timers } = services;
  const { checks } = settings;
  app.get("/status/config", (_request, reply) => sendJson(reply, publicConfig(services)));
  app.get("/status/check/version", (request, reply) => {
    const reference = queryText(request, "reference");
    const order = reference === null ? null : compareVersions(version, reference);
    if (order === null) throw new ControlError(400, "give the parameter reference: a version like 1.13.0");
    if (order < 0) throw new ControlError(403, `Outdated: version ${version} < ${reference}`);
    return sendText(reply, `Up-to-date: version ${version} >= ${reference}`);
  });
  app.get("/status/check/host", async (request, reply) => {
    const result = await checkHost(checks, settings.network.dnsServers, timers, clientSignal(request, reply));
    const isGood = [result.ipv4, result.ipv6].every(({ egress, dns, domain }) => egress && dns && domain);
    return sendJson(reply, result, isGood ? 200 : 503);
  });
  app.get("/status/check/ipv6", async (request, reply) => {
    const signal = clientSignal(request, reply);
    const [host, vm] = await Promise.all([
      hasIpv6Egress(checks, timers, signal),
      vmHasIpv6(apiUrl(), services, signal),
    ]);
    return sendJson(reply, { host, vm });
  });
  for (const isLegacy of [false, true]) {
    app.get(`/status/check/fastapi${isLegacy ? "/legacy" : ""}`, async (request, reply) => {
      const vmHash = isLegacy ? checks.legacyFastapiHash : checks.fastapiHash;
      if (vmHash === null) {
        throw new ControlError(503, "no diagnostic program is configured on this node");
      }
      const omitsNewer = isLegacy || queryFlag(request, "retro-compatibility", false);
      const report = await checkFastapi(
        {
          programUrl: `${apiUrl()}/vm/${vmHash}`,
          omitsNewer,
          slowness: services.capabilities().slowness,
          timers,
        },
        clientSignal(request, reply),
      );
      return sendJson(reply, report.body, report.isGood ? 200 : 503);
    });
  }
  app.get("/debug/haproxy", (_request, reply) => sendJson(reply, { status: "no socket" }, 404));
}

async function vmHasIpv6(apiUrl: string, services: ControlServices, signal: AbortSignal): Promise<boolean> {
  const { fastapiHash } = services.settings.checks;
  if (fastapiHash === null) return false;
  try {
    const answer = await services.timers.withTimeout(
      2_000,
      (bounded) => fetch(`${apiUrl}/vm/${fastapiHash}/ip/6`, { signal: bounded }),
      signal,
    );
    const body: unknown = await answer.json();
    return typeof body === "object" && body !== null && "result" in body && body.result === true;
  } catch {
    // No answer in time, or another one: there is no IPv6.
    return false;
  }
}

/** What is ours: `twentysix`, with the reason of everything that this node cannot do. */
function publicConfig(services: ControlServices): object {
  const { settings, version, networks, node, capabilities } = services;
  const { identity, network, payment, checks } = settings;
  const facts = node();
  const { accelerator, missing, hasVsock, slowness } = capabilities();
  return {
    DOMAIN_NAME: identity.domainName,
    node_hash: facts.nodeHash,
    version,
    references: {
      API_SERVER: services.apiServer,
      CHECK_FASTAPI_VM_ID: checks.fastapiHash,
      CONNECTOR_URL: null,
    },
    security: {
      USE_JAILER: true,
      PRINT_SYSTEM_LOGS: true,
      WATCH_FOR_UPDATES: settings.functions.watchesMessages,
      ALLOW_VM_NETWORKING: true,
      USE_DEVELOPER_SSH_KEYS: false,
    },
    networking: {
      IPV6_ADDRESS_POOL: network.ipv6Pool,
      IPV6_ALLOCATION_POLICY: `IPv6AllocationPolicy.${network.ipv6Policy}`,
      IPV6_SUBNET_PREFIX: network.ipv6SubnetPrefix,
      IPV6_FORWARDING_ENABLED: network.ipv6Forwarding && networks.isReachable,
      USE_NDP_PROXY: networks.isReachable,
    },
    debug: { SENTRY_DSN_CONFIGURED: false, DEBUG_ASYNCIO: false, EXECUTION_LOG_ENABLED: true },
    payment: {
      PAYMENT_RECEIVER_ADDRESS: payment.receiverAddress ?? identity.ownerAddress ?? "",
      AVAILABLE_PAYMENTS: services.availableChains,
      PAYMENT_MONITOR_INTERVAL: payment.monitorPeriodMs / 1_000,
    },
    computing: {
      ENABLE_QEMU_SUPPORT: true,
      INSTANCE_DEFAULT_HYPERVISOR: "qemu",
      ENABLE_CONFIDENTIAL_COMPUTING: facts.teeUnavailableReason === null,
      ENABLE_GPU_SUPPORT: false,
      tee_unavailable_reason: facts.teeUnavailableReason,
      gpu_unavailable_reason: "passing devices of the host through is not offered by this node",
    },
    twentysix: {
      version: services.ownVersion,
      public_url: publicUrlOf(identity),
      owner_address: facts.ownerAddress,
      terms_and_conditions: facts.termsAndConditions,
      accelerator,
      slowness,
      vsock: hasVsock,
      missing,
      images: services.hostImages(),
      domain_ports: services.domainPorts(),
      addresses_reachable: networks.isReachable,
    },
  };
}
