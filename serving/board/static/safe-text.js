// Sanitizes external text: names of teams, books and players are shown as their sources sent them.

const MAX_NAME_LENGTH = 100;
const NAME_FIELDS = new Set(["home_team", "away_team", "selection", "book_title", "title", "event"]);

// Also line breaks, direction marks and zero-width characters, but not the joiners that Persian and Indic names need.
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const escapeCharacter = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

function sanitize(key, value) {
  if (typeof value !== "string") return value;
  const text = value.replace(CONTROL_CHARACTERS, escapeCharacter);
  return NAME_FIELDS.has(key) && text.length > MAX_NAME_LENGTH ? `${text.slice(0, MAX_NAME_LENGTH - 1)}…` : text;
}

// Parse JSON, sanitizing its strings: none can reverse the text direction or push numbers off the page.
export const parseJson = (text) => JSON.parse(text, sanitize);
