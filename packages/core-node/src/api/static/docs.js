function make(name, { text, className, ...attributes } = {}, children = []) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function typeOf(schema = {}) {
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  const bounds = [
    schema.minimum === undefined ? "" : `≥ ${schema.minimum}`,
    schema.maximum === undefined ? "" : `≤ ${schema.maximum}`,
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
  ].filter(Boolean);
  return [schema.type ?? "any", ...bounds].join(", ");
}

function parametersOf(operation) {
  const rows = (operation.parameters ?? []).map((parameter) =>
    make("tr", {}, [
      make("td", {}, [make("code", { text: parameter.name })]),
      make("td", { text: parameter.in }),
      make("td", { text: typeOf(parameter.schema) }),
      make("td", { text: parameter.description ?? parameter.schema?.description ?? "" }),
    ]),
  );
  if (rows.length === 0) return [];
  const head = make(
    "tr",
    {},
    ["Name", "In", "Type", ""].map((text) => make("th", { text, scope: "col" })),
  );
  return [make("table", {}, [make("thead", {}, [head]), make("tbody", {}, rows)])];
}

function isTelling(schema) {
  return schema !== undefined && Object.keys(schema).length > 0;
}

function schemasOf(content = {}) {
  return Object.entries(content).flatMap(([mediaType, { schema }]) => [
    make("p", {}, [make("code", { text: mediaType })]),
    ...(isTelling(schema) ? [make("pre", { text: JSON.stringify(schema, null, 2) })] : []),
  ]);
}

function bodyOf({ requestBody }) {
  if (requestBody === undefined) return [];
  return [make("h3", { text: "Body" }), ...schemasOf(requestBody.content)];
}

function responsesOf({ responses = {} }) {
  const answers = Object.entries(responses).map(([status, { description, content }]) => {
    const summary = make("summary", {}, [
      make("span", { className: "method", text: status }),
      make("span", { text: description }),
    ]);
    return make("details", {}, [summary, ...schemasOf(content)]);
  });
  return answers.length === 0 ? [] : [make("h3", { text: "Answers" }), ...answers];
}

function tryLink(method, path) {
  if (method !== "get" || path.includes("{")) return [];
  return [make("p", {}, [make("a", { text: "Ask this node", href: path })])];
}

function show(description) {
  const groups = new Map();
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? "Other";
      if (!groups.has(tag))
        groups.set(tag, make("section", { className: "panel" }, [make("h2", { text: tag })]));
      const summary = make("summary", {}, [
        make("span", { className: "method", text: method.toUpperCase() }),
        make("code", { className: "path", text: path }),
        make("span", { className: "muted", text: operation.summary ?? "" }),
      ]);
      const route = make("details", { className: "route" }, [
        summary,
        ...parametersOf(operation),
        ...bodyOf(operation),
        ...responsesOf(operation),
        ...tryLink(method, path),
      ]);
      route.dataset.text = `${method} ${path} ${operation.summary ?? ""}`.toLowerCase();
      groups.get(tag).append(route);
    }
  }
  document.getElementById("routes").replaceChildren(...groups.values());
}

document.getElementById("filter").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase();
  for (const route of document.querySelectorAll("details.route"))
    route.hidden = !route.dataset.text.includes(wanted);
  for (const group of document.querySelectorAll("section.panel")) {
    group.hidden = [...group.querySelectorAll("details.route")].every((route) => route.hidden);
  }
});

const response = await fetch("/api/openapi.json");
show(await response.json());
