// The API as openapi.json describes it. Written here: pages of other hosts are no part of this one.

import { $, el } from "./dom.js";

const METHODS = ["get", "post"];

const plain = (text = "") => text.trim().replaceAll("`", "");

const nameOf = (schema) => schema.$ref?.split("/").pop();

function kind(schema = {}) {
  if (schema.$ref) return el("a", { href: `#${nameOf(schema)}` }, nameOf(schema));
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return el("span", {}, ...either.flatMap((each, i) => [i ? " or " : "", kind(each)]));
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.type === "array") return el("span", {}, "list of ", kind(schema.items));
  return [schema.type ?? "anything", schema.format].filter(Boolean).join(", ");
}

const limits = (schema = {}) =>
  [["minimum", "from"], ["maximum", "to"], ["exclusiveMinimum", "above"], ["exclusiveMaximum", "below"], ["default", "default"]]
    .filter(([key]) => schema[key] !== undefined && schema[key] !== null)
    .map(([key, word]) => `${word} ${schema[key]}`)
    .join(", ");

const table = (head, rows) =>
  rows.length === 0 ? null
    : el("table", {},
        el("thead", {}, el("tr", {}, ...head.map((text) => el("th", {}, text)))),
        el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell))))));

function call(path, method, what) {
  const parameters = (what.parameters ?? []).map(({ name, required, schema, description }) =>
    [el("code", {}, name), kind(schema), [required && "required", limits(schema)].filter(Boolean).join("; "), plain(description ?? schema?.description)]);
  const answers = Object.entries(what.responses ?? {}).map(([code, { description, content }]) =>
    [code, kind(content?.["application/json"]?.schema), plain(description)]);
  const needsNothing = method === "get" && !(what.parameters ?? []).some((each) => each.required);
  return el("section", { class: "panel call" },
    el("h2", {}, el("span", { class: "method" }, method.toUpperCase()),
      needsNothing ? el("a", { href: path.slice(1) }, el("code", {}, path)) : el("code", {}, path)),
    el("p", { class: "text" }, plain(what.description ?? what.summary)),
    table(["parameter", "kind", "limits", ""], parameters),
    table(["answer", "", ""], answers));
}

function shape(name, { description, properties = {}, required = [] }) {
  const fields = Object.entries(properties).map(([field, schema]) =>
    [el("code", {}, field), kind(schema), required.includes(field) ? "" : "may be absent", plain(schema.description)]);
  return [el("h3", { id: name }, name), el("p", { class: "text quiet" }, plain(description)), table(["field", "kind", "", ""], fields)];
}

async function show() {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  const api = await response.json();
  $("about").append(el("h2", {}, `${api.info.title} ${api.info.version}`), el("p", { class: "text" }, plain(api.info.description)));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS) if (methods[method]) $("calls").append(call(path, method, methods[method]));
  }
  const shapes = Object.entries(api.components?.schemas ?? {}).flatMap(([name, schema]) => shape(name, schema));
  $("shapes").append(el("h2", {}, "Shapes"), ...shapes.filter(Boolean));
}

show().catch((error) => { $("problem").textContent = `The description of the API cannot be shown (${error.message}).`; });
