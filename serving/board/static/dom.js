// The only place that creates elements: text is always inserted as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Fill a <select>. An unchanged list is left alone: replacing its options would close it while open.
export function fillOptions(select, entries, chosen) {
  const signature = JSON.stringify(entries);
  if (select.dataset.signature !== signature) {
    select.replaceChildren(...entries.map(([value, text]) => el("option", { value }, text)));
    select.dataset.signature = signature;
  }
  if (entries.some(([value]) => `${value}` === `${chosen}`)) select.value = chosen;
}
