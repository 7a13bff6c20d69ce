import type { FastifyInstance } from "fastify";
import { publicUrlOf } from "../../compute-settings.ts";
import type { ControlServices } from "../control-services.ts";

/** `/` under the name of the node itself: under any other name a program answers. */
export function addLandingRoute(app: FastifyInstance, services: ControlServices): void {
  const { settings, version } = services;
  const { domainName } = settings.identity;
  const escaped = domainName.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const page = landingPage(domainName, publicUrlOf(settings.identity), settings.checks.fastapiHash, version);
  app.route({
    method: "GET",
    url: "/",
    constraints: { host: new RegExp(`^${escaped}(:\\d+)?$`, "i") },
    handler: (_request, reply) => reply.type("text/html; charset=utf-8").send(page),
  });
}

function landingPage(domain: string, url: string, checkHash: string | null, version: string): string {
  const text = (value: string): string =>
    value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  const diagnostic = checkHash === null ? "none" : text(checkHash);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Compute node ${text(domain)}</title>
<meta name="viewport" content="width=device-width">
<style>body{font:16px/1.5 system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}
pre{background:#8882;padding:1rem;overflow:auto}</style></head><body>
<h1>Compute node</h1>
<p>Version ${text(version)}. Programs run at <code>${text(url)}/vm/&lt;item hash&gt;</code>.</p>
<p>Addresses: <code>/dns4/${text(domain)}/tcp/443/https</code>, <code>/dns6/${text(domain)}/tcp/443/https</code></p>
<p>Diagnostic program: <code>${diagnostic}</code></p>
<h2>Usage</h2><pre id="usage">…</pre><h2>Checks</h2><pre id="checks">…</pre>
<script>
const show = async (id, paths) => {
  const lines = [];
  for (const path of paths) {
    try { lines.push(path + " " + JSON.stringify(await (await fetch(path)).json(), null, 1)); }
    catch (error) { lines.push(path + " " + error); }
    document.getElementById(id).textContent = lines.join("\\n");
  }
};
show("usage", ["/about/usage/system"]);
show("checks", ["/status/check/fastapi", "/status/check/ipv6", "/status/check/host"]);
</script></body></html>`;
}
