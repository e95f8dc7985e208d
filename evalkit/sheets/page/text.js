"use strict";
// Texts of models are shown as they are and never as markup; what could not be seen is named instead.

const LONG = 20000, HEAD = 14000, TAIL = 4000, MOST_MARKS = 400;
const UNSEEN = /[\ud800-\udbff][\udc00-\udfff]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff]|[\ud800-\udfff]/g;

function element(tag, facts = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) {
    if (name === "text") made.textContent = value;
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function byId(id) { return document.getElementById(id); }

function codeOf(character) {
  return "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

function isSeen(found) {
  // A pair is a character of its own, and seen, but for the tags that spell invisible text.
  return found.length === 2 && !(found.codePointAt(0) >= 0xe0000 && found.codePointAt(0) <= 0xe0fff);
}

function pieces(text) {
  const parts = [];
  let last = 0, run = null;
  for (const match of text.replace(/\r\n?/g, "\n").matchAll(UNSEEN)) {
    if (isSeen(match[0])) continue;
    if (run && run.end === match.index && run.character === match[0]) { run.count += 1; run.end += match[0].length; last = run.end; continue; }
    parts.push(match.input.slice(last, match.index));
    run = { character: match[0], count: 1, end: match.index + match[0].length };
    parts.push(run);
    last = run.end;
  }
  parts.push(text.replace(/\r\n?/g, "\n").slice(last));
  return parts;
}

function named(run) { return codeOf(run.character) + (run.count > 1 ? ` ×${run.count.toLocaleString("en")}` : ""); }

function nodesOf(text) {
  const parts = pieces(text);
  if (parts.length > 2 * MOST_MARKS) {
    return [document.createTextNode(parts.map(part => typeof part === "string" ? part : `[${named(part)}]`).join(""))];
  }
  return parts.filter(part => part !== "").map(part => typeof part === "string"
    ? document.createTextNode(part)
    : element("span", { class: "unseen", title: "a character that cannot be seen", text: named(part) }));
}

function showText(place, text, language) {
  place.replaceChildren();
  place.setAttribute("dir", "auto");
  if (language && /^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*$/.test(language)) place.setAttribute("lang", language);
  else place.removeAttribute("lang");
  if (!text.trim() && !pieces(text).some(part => typeof part !== "string")) {
    place.append(element("em", { class: "nothing", text: "empty" }));
    return;
  }
  if (text.length <= LONG) { place.append(...nodesOf(text)); return; }
  const left = text.length - HEAD - TAIL;
  const more = element("button", { type: "button", class: "more", text: `Show the ${left.toLocaleString("en")} characters in between` });
  more.addEventListener("click", () => { place.replaceChildren(...nodesOf(text)); place.setAttribute("tabindex", "-1"); place.focus(); });
  place.append(...nodesOf(text.slice(0, HEAD)), more, ...nodesOf(text.slice(-TAIL)));
}
