const SECONDS_SHOWN = 120;
const MAX_LISTED = 8;
const REFRESH_MS = 10_000;

const perSecond = new Array(SECONDS_SHOWN).fill(0);
const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();
const show = (id, value) => {
  element(id).textContent = value ?? "–";
};

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

async function refresh() {
  try {
    const [node, root] = await Promise.all([get("/api/v1/node"), get("/api/v1/state-root")]);
    show("version", node.version);
    show("network", node.network);
    show("address", node.address);
    show("addresses", node.addresses.join(" ") || "not announced");
    show("messages", number.format(node.messages));
    show("pending", number.format(node.pendingMessages));
    show("peers", number.format(node.peers));
    show("root", root.root);
    show("root-count", number.format(root.count));
  } catch {
    setState("lost", "no answer from the node");
  }
}

function setState(state, text) {
  element("status").dataset.state = state;
  element("status").textContent = text;
}

function connect(waitMs) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/api/ws0/messages?history=0&contentFormat=none`);
  let nextWaitMs = Math.min(waitMs * 2, 30_000);
  socket.onopen = () => {
    nextWaitMs = 1_000;
    setState("live", "live");
  };
  socket.onmessage = (event) => list(JSON.parse(event.data));
  socket.onclose = () => {
    setState("lost", "connection lost, trying again");
    window.setTimeout(() => connect(nextWaitMs), waitMs);
  };
}

function list(message) {
  perSecond[perSecond.length - 1] += 1;
  const item = document.createElement("li");
  const part = (name, text, href) => {
    const node = document.createElement(href ? "a" : "span");
    node.className = name;
    node.textContent = text;
    if (href) node.href = href;
    item.append(node);
  };
  part("type", message.type);
  part("hash mono", message.item_hash, `/api/v0/messages/${message.item_hash}`);
  part("when", new Date(message.time * 1_000).toLocaleTimeString());
  const latest = element("latest");
  latest.prepend(item);
  while (latest.children.length > MAX_LISTED) latest.lastElementChild.remove();
  element("nothing").hidden = true;
}

function draw() {
  const highest = Math.max(4, ...perSecond);
  element("rate").replaceChildren(
    ...perSecond.flatMap((count, second) => {
      if (count === 0) return [];
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const height = (count / highest) * 30;
      bar.setAttribute("x", String(second));
      bar.setAttribute("y", String(30 - height));
      bar.setAttribute("width", "0.8");
      bar.setAttribute("height", String(height));
      return [bar];
    }),
  );
  show("per-minute", number.format(perSecond.slice(-60).reduce((sum, count) => sum + count, 0)));
  perSecond.shift();
  perSecond.push(0);
}

refresh();
connect(1_000);
draw();
window.setInterval(refresh, REFRESH_MS);
window.setInterval(draw, 1_000);
