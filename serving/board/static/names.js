// Texts from outside, made fit to be shown: names of teams, books and players come as sources send them.

const LONGEST_NAME = 100;
const NAMES = new Set(["home_team", "away_team", "selection", "book_title", "title", "event"]);

// Controls, line ends, marks of direction and what has no width; not the joiners that Persian and Indian names need.
const ACTS = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const written = (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

function shown(key, value) {
  if (typeof value !== "string") return value;
  const text = value.replace(ACTS, written);
  return NAMES.has(key) && text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text;
}

// JSON whose texts only stand on the page: none turns its direction, and none pushes the numbers off.
export const parse = (text) => JSON.parse(text, shown);
