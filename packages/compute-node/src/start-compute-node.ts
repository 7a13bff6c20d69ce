import { publicUrlOf } from "./compute-settings.ts";
import { readHostReport } from "./control/host-report.ts";
import { VmLogs } from "./control/logs/vm-logs.ts";
import { createNetworkControl, createWantedPorts } from "./control/network-control.ts";
import { createHealth } from "./control/node-health.ts";
import type { DiskRoom } from "./executions/admission/disk-claims.ts";
import { openExecutionsDatabase } from "./executions/database.ts";
import { ExecutionStore } from "./executions/execution-store.ts";
import { Fences } from "./executions/fences.ts";
import { ContactProof } from "./executions/leases.ts";
import { registerFunctionRoutes } from "./functions/http/function-routes.ts";
import { runFolderOf } from "./helper/helper-folders.ts";
import { HelperHypervisor } from "./hypervisor/helper-hypervisor.ts";
import { CoreNodes } from "./messages/core-nodes.ts";
import { NodeIdentity } from "./messages/node-identity.ts";
import { OwnRegistration } from "./messages/own-registration.ts";
import { SharedSettings } from "./messages/shared-settings.ts";
import {
  computeFolders,
  keepLinkSecret,
  makeComputeFolders,
  writeLoginToken,
} from "./start/compute-folders.ts";
import type { ComputeNodeOptions, RunningComputeNode } from "./start/compute-node-options.ts";
import { nodeFactsOf, openControl } from "./start/open-control.ts";
import { createDomains } from "./start/open-domains.ts";
import { openExecutions } from "./start/open-executions.ts";
import { openHostImages } from "./start/open-host-images.ts";
import { createComputeMetrics, measureParts } from "./start/open-metrics.ts";
import { openNetworks } from "./start/open-networks.ts";
import {
  createInstanceRunner,
  createInstanceServices,
  openCache,
  openFunctions,
} from "./start/open-services.ts";
import {
  createFeed,
  createPaymentMonitor,
  followOwnMachines,
  keepContact,
  watchNetwork,
} from "./start/watch-network.ts";

/**
 * Starts a compute node: finds the machines of an earlier run, and serves. What is opened is closed in the opposite
 * order, also when a later step fails.
 *
 * @throws HypervisorError when the host helper cannot be reached; NetworkingError for settings
 */
export async function startComputeNode(
  options: ComputeNodeOptions,
  signal: AbortSignal,
): Promise<RunningComputeNode> {
  const { settings, clock, timers, log } = options;
  await using stack = new AsyncDisposableStack();
  const folders = computeFolders(options.dataDir, options.imagesDir);
  await makeComputeFolders(folders);
  const database = openExecutionsDatabase(folders.database);
  stack.defer(() => database.close());
  const store = new ExecutionStore(database, clock);
  const fences = new Fences(store, settings.lease);
  const contact = new ContactProof(store, clock, settings.lease.contactMaxAgeMs, fences);
  const coreNodes = new CoreNodes({
    apiUrls: options.coreNodeUrls,
    minAgreeing: settings.payment.minAgreeing,
    crypto: options.crypto,
    clock,
    log: log.child({ part: "core-nodes" }),
    onContact: () => contact.note("core-node"),
  });
  const shared = new SharedSettings(coreNodes, settings.allocation.settingsAddress);
  const identity = await NodeIdentity.open({
    ...settings.identity,
    url: publicUrlOf(settings.identity),
    file: folders.nodeHash,
    connections: coreNodes.connections,
    timers,
    log,
  });
  const hypervisor = await HelperHypervisor.open(
    { dir: folders.dir, command: options.helperCommand, timers, log: log.child({ part: "hypervisor" }) },
    signal,
  );
  stack.use(hypervisor);
  const hostImages = openHostImages(options, folders, hypervisor);
  const host = await readHostReport(folders.vms);
  const registration = new OwnRegistration({
    ...{ registry: settings.identity.registry, nodeHash: () => identity.hash, coreNodes, timers, log },
  });
  const node = () =>
    nodeFactsOf(options, host, hypervisor.capabilities(), identity.hash, registration.termsAndConditions);
  const { forwardHost } = options;
  const { networks, ports } = openNetworks(settings.network, { hypervisor, database, forwardHost, clock });
  const feed = createFeed(options, { store, contact, coreNodes });
  const metrics = createComputeMetrics();
  const open = { hypervisor, networks, ports, database, folders, hostImages, metrics };
  const parts = { ...open, coreNodes, feed, identity, contact };
  // Nothing asks before machines are brought in order.
  const room: DiskRoom = { claim: (path, bytes) => executions.admission.claims.claim(path, bytes) };
  const cache = await openCache(options, folders, room);
  const functions = await openFunctions(options, parts, cache, room);
  stack.defer(() => functions.close());
  const wantedPorts = createWantedPorts(ports, coreNodes, log);
  const runner = createInstanceRunner(options, parts, cache, wantedPorts, (vmHash) =>
    instances.backups.removeAll(vmHash),
  );
  const executions = openExecutions(options, {
    ...parts,
    ...{ store, fences, programs: functions.runner, instances: runner, node },
  });
  stack.defer(() => executions.close());
  const { manager } = executions;
  const payments = createPaymentMonitor(options, { executions, coreNodes, shared });
  stack.use(measureParts(metrics, options, { hypervisor, executions, functions, cache, feed, payments }));
  const instances = createInstanceServices(options, parts, cache, executions, shared);
  stack.defer(() => instances.backups.close());
  stack.defer(() => instances.rescues.close());
  stack.defer(() => instances.migrations.close());
  const closing = new AbortController();
  const stopping = new Error("the compute node stops");
  await coreNodes.ping(signal);
  // From now on: leases are renewed while machines are brought in order.
  const contacts = keepContact(options, coreNodes, closing.signal);
  stack.defer(async () => {
    closing.abort(stopping);
    await contacts;
  });
  const found = await executions.reconcile(signal);
  log.info("machines of an earlier run were found", {
    adopted: found.adopted.length,
    ended: found.ended.length,
    toStart: found.toStart.length,
  });
  await instances.backups.start();
  await instances.migrations.start();

  const networkControl = createNetworkControl({
    ...{ executions: manager, networks, ports, wantedPorts, forwardHost },
    interfaceName: settings.network.interfaceName,
  });
  const logs = new VmLogs({
    ...{ folderOf: (vmHash: string) => runFolderOf(folders.dir, vmHash), clock, timers, log },
    running: () => manager.list().filter(({ state }) => state === "running"),
  });
  const front = functions.start(manager);
  const domains = createDomains(options, {
    ...{ executions: manager, coreNodes, networks, networkControl, ports, apiUrl: () => apiUrl },
  });
  const api = await openControl(options, {
    ...{ executions, coreNodes, shared, instances, logs, host, node, networks: networkControl },
    capabilities: () => hypervisor.capabilities(),
    hostImages: () => hostImages.state(),
    domainPorts: () => domains.ports(),
    functions: (app) => registerFunctionRoutes(app, front),
    loginToken: await writeLoginToken(folders.loginToken),
    linkSecret: await keepLinkSecret(folders.linkSecret),
    registry: metrics.registry,
    health: createHealth({
      isHelperConnected: () => hypervisor.isConnected,
      coreNodeAgeMs: () => contact.ageMs("core-node"),
      contactMaxAgeMs: settings.lease.contactMaxAgeMs,
      imagesProblem: () => hostImages.problem(),
    }),
    signal: closing.signal,
  });
  const watched = { executions, coreNodes, shared, networks: networkControl, domains: domains.names };
  followOwnMachines(options, watched, feed, closing.signal);
  const work = Promise.all([
    watchNetwork(options, feed, payments, closing.signal),
    logs.run(closing.signal),
    hostImages.run(closing.signal),
    identity.discover(closing.signal),
    registration.run(closing.signal),
  ]);
  stack.defer(async () => {
    closing.abort(stopping);
    await work;
  });
  stack.defer(() => api.close(settings.functions.drainMs));
  const apiUrl = await api.listen({ host: options.apiHost, port: options.apiPort });
  stack.defer(() => domains.close());
  await domains.listen();
  const running = stack.move();
  return {
    apiUrl,
    nodeHash: () => identity.hash,
    async close() {
      api.drain();
      await running.disposeAsync();
    },
  };
}
