// The API reference, rendered from openapi.json without scripts from other hosts.

import { $, el } from "./dom.js";

const METHODS = ["get", "post"];

const plainText = (text = "") => text.trim().replaceAll("`", "");

const schemaName = (schema) => schema.$ref?.split("/").pop();

function typeLabel(schema = {}) {
  if (schema.$ref) return el("a", { href: `#${schemaName(schema)}` }, schemaName(schema));
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return el("span", {}, ...either.flatMap((each, i) => [i ? " or " : "", typeLabel(each)]));
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  if (schema.type === "array") return el("span", {}, "list of ", typeLabel(schema.items));
  return [schema.type ?? "any", schema.format].filter(Boolean).join(", ");
}

const limitsText = (schema = {}) =>
  [["minimum", "min"], ["maximum", "max"], ["exclusiveMinimum", "above"], ["exclusiveMaximum", "below"], ["default", "default"]]
    .filter(([key]) => schema[key] !== undefined && schema[key] !== null)
    .map(([key, word]) => `${word} ${schema[key]}`)
    .join(", ");

const table = (head, rows) =>
  rows.length === 0 ? null
    : el("table", {},
        el("thead", {}, el("tr", {}, ...head.map((text) => el("th", {}, text)))),
        el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell))))));

function endpointSection(path, method, operation) {
  const parameters = (operation.parameters ?? []).map(({ name, required, schema, description }) =>
    [el("code", {}, name), typeLabel(schema), [required && "required", limitsText(schema)].filter(Boolean).join("; "), plainText(description ?? schema?.description)]);
  const responses = Object.entries(operation.responses ?? {}).map(([code, { description, content }]) =>
    [code, typeLabel(content?.["application/json"]?.schema), plainText(description)]);
  const canBeOpened = method === "get" && !(operation.parameters ?? []).some((each) => each.required);
  return el("section", { class: "panel endpoint" },
    el("h2", {}, el("span", { class: "method" }, method.toUpperCase()),
      canBeOpened ? el("a", { href: path.slice(1) }, el("code", {}, path)) : el("code", {}, path)),
    el("p", { class: "text" }, plainText(operation.description ?? operation.summary)),
    table(["parameter", "type", "constraints", ""], parameters),
    table(["response", "", ""], responses));
}

function schemaSection(name, { description, properties = {}, required = [] }) {
  const fields = Object.entries(properties).map(([field, schema]) =>
    [el("code", {}, field), typeLabel(schema), required.includes(field) ? "" : "optional", plainText(schema.description)]);
  return [el("h3", { id: name }, name), el("p", { class: "text quiet" }, plainText(description)), table(["field", "type", "", ""], fields)];
}

async function render() {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  const api = await response.json();
  $("about").append(el("h2", {}, `${api.info.title} ${api.info.version}`), el("p", { class: "text" }, plainText(api.info.description)));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS) if (methods[method]) $("endpoints").append(endpointSection(path, method, methods[method]));
  }
  const schemas = Object.entries(api.components?.schemas ?? {}).flatMap(([name, schema]) => schemaSection(name, schema));
  $("schemas").append(el("h2", {}, "Schemas"), ...schemas.filter(Boolean));
}

render().catch((error) => { $("problem").textContent = `Cannot load the API description (${error.message}).`; });
