"use strict";
// The pages of /docs: everything is read from openapi.json beside them; nothing comes from anywhere else.

let token = "";

const make = (name, text, ...inside) => {
  const node = document.createElement(name);
  if (text) node.textContent = text;
  node.append(...inside);
  return node;
};

const meant = (schema, all) =>
  schema && schema.$ref ? all.components.schemas[schema.$ref.split("/").pop()] : schema || {};

const kind = (schema, all) => {
  const said = meant(schema, all);
  if (said.enum) return said.enum.join(" | ");
  if (said.const !== undefined) return String(said.const);
  if (said.anyOf) return said.anyOf.map((one) => kind(one, all)).filter((one) => one !== "null").join(" | ");
  if (said.type === "array") return `[${kind(said.items, all)}]`;
  const limits = ["minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "format"]
    .filter((name) => said[name] !== undefined).map((name) => `${name} ${said[name]}`);
  return [String(said.type || "object"), ...limits].join(", ");
};

const table = (heads, rows) => {
  const body = make("tbody", "", ...rows.map((row) => make("tr", "", ...row.map((cell) => make("td", cell)))));
  return make("table", "", make("thead", "", make("tr", "", ...heads.map((head) => make("th", head)))), body);
};

const fields = (schema, all) => {
  const said = meant(schema, all);
  const required = new Set(said.required || []);
  return table(["字段 field", "类型 type", "说明 title"], Object.entries(said.properties || {}).map(([name, one]) =>
    [required.has(name) ? `${name} *` : name, kind(one, all), meant(one, all).title || one.description || ""]));
};

const attempt = (method, path, operation, example) => {
  const form = make("form");
  const inputs = (operation.parameters || []).filter((one) => one.in !== "cookie").map((one) => {
    const input = make("input");
    input.placeholder = one.required ? `${one.name} *` : one.name;
    form.append(make("label", `${one.name} `, input), " ");
    return [one, input];
  });
  const body = make("textarea", example === undefined ? "" : JSON.stringify(example, null, 2));
  body.setAttribute("aria-label", "body");
  if (example !== undefined) form.append(body);
  const answer = make("pre");
  answer.hidden = true;
  form.append(make("button", "发送 Send"), answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let address = path;
    const query = new URLSearchParams();
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    for (const [one, input] of inputs) {
      if (one.in === "path") address = address.replace(`{${one.name}}`, encodeURIComponent(input.value));
      else if (input.value && one.in === "query") query.set(one.name, input.value);
      else if (input.value && one.in === "header") headers[one.name] = input.value;
    }
    if (example !== undefined) headers["Content-Type"] = "application/json";
    if (String(query)) address += `?${query}`;
    const got = await fetch(address, { method, headers, body: example === undefined ? undefined : body.value });
    answer.hidden = false;
    answer.textContent = `${got.status}\n${(await got.text()).slice(0, 20000)}`;
  });
  return form;
};

const operationOf = (method, path, operation, all) => {
  const inside = make("details", "", make("summary", "", make("b", method.toUpperCase()), make("code", path),
    make("span", `  ${operation.summary || ""}`)));
  inside.addEventListener("toggle", () => {
    if (!inside.open || inside.dataset.full) return;
    inside.dataset.full = "yes";
    if (operation.description) inside.append(make("p", operation.description));
    if ((operation.parameters || []).length)
      inside.append(table(["参数 parameter", "位置 in", "类型 type", "说明 description"], operation.parameters.map((one) =>
        [one.required ? `${one.name} *` : one.name, one.in, kind(one.schema, all), one.description || ""])));
    const [media, body] = Object.entries((operation.requestBody || {}).content || {})[0] || [];
    if (body) inside.append(make("h4", media), fields(body.schema, all));
    inside.append(table(["状态 status", "含义 meaning"], Object.entries(operation.responses).map(([status, one]) =>
      [status, one.$ref ? all.components.responses[status].description : one.description])));
    if (!media || media === "application/json") inside.append(attempt(method, path, operation, body && (body.example ?? {})));
  });
  return inside;
};

const show = async () => {
  const all = await (await fetch("openapi.json")).json();
  document.getElementById("about").textContent = all.info.description;
  const groups = new Map();
  for (const [path, operations] of Object.entries(all.paths))
    for (const [method, operation] of Object.entries(operations)) {
      const tag = (operation.tags || ["–"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operationOf(method, path, operation, all));
    }
  const main = document.getElementById("operations");
  main.replaceChildren(...[...groups].map(([tag, entries]) => make("section", "", make("h2", tag), ...entries)));
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const one of main.querySelectorAll("details"))
      one.hidden = !one.firstElementChild.textContent.toLowerCase().includes(wanted);
  });
};

document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const got = await fetch("/api/v1/auth/token", { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  const said = await got.json();
  token = said.access_token || "";
  document.getElementById("who").textContent = token ? "✓" : said.detail;
});

show();
