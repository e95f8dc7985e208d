// Keys, the help, colours, tips on the evidence, and what is said aloud.

const preferences = { theme: "auto", keys: true, inline: false };

function readPreferences() {
  try {
    Object.assign(preferences, JSON.parse(window.localStorage.getItem("evalkit-report/preferences")) || {});
    preferences.theme = window.localStorage.getItem("evalkit-report/theme") || "auto";
  } catch { /* storage is off: nothing is remembered */ }
}

function keepPreferences() {
  try {
    window.localStorage.setItem("evalkit-report/preferences", JSON.stringify({ keys: preferences.keys, inline: preferences.inline }));
    window.localStorage.setItem("evalkit-report/theme", preferences.theme);
  } catch { /* storage is off: nothing is remembered */ }
}

const KEYS = {
  j: () => step(1), k: () => step(-1), o: () => stepTo(["fail"], "failing"), e: () => stepTo(["error", "unscored"], "broken or unscored"),
  "/": () => { byId("trials").scrollIntoView({ block: "start" }); byId("search").focus({ preventScroll: true }); byId("search").select(); },
  d: () => setView(state.view === "diff" ? "answer" : "diff"), r: () => setView(state.view === "raw" ? "answer" : "raw"),
  h: () => { const folds = byId("trial").querySelectorAll("details.thinking"); const shut = [...folds].some(fold => !fold.open); for (const fold of folds) fold.open = shut; },
  c: copyCommand, l: copyLink, t: changeTheme, x: clearAll, "?": showHelp,
  g: () => byId("verdict").scrollIntoView({ block: "start" }),
};
const KEY_WORDS = [
  ["J K", "next, previous trial; also ↓ ↑ in the list, → ← anywhere among the trials"], ["O", "next failing trial"], ["E", "next error or unscored trial"], ["/", "search"],
  ["D", "compare with another answer, and back"], ["R", "raw answer with special tokens, and back"], ["H", "thinking, open or shut"],
  ["C", "copy the command that runs this trial again"], ["L", "copy the link to this trial"], ["X", "take every filter away"],
  ["G", "back to the verdict"], ["T", "colours: as the system, light, dark"], ["Esc", "leave the search, a tip, or the trial"], ["?", "this list"],
];

function onKey(event) {
  if (event.key === "Escape") { onEscape(event); return; }
  if (document.querySelector("dialog[open]") || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target, isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "checkbox";
  if (target === byId("search") && event.key === "Enter" && state.found.length) { openTrial(state.found[0]); byId("list").focus({ preventScroll: true }); return; }
  if (isTyping) return;
  const inTrials = target.closest?.("#panes");
  const arrows = { ArrowRight: 1, ArrowLeft: -1, ...(target === byId("list") ? { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 } : {}) };
  if (inTrials && arrows[event.key] && !event.shiftKey && !target.closest(".frame, code")) { event.preventDefault(); step(arrows[event.key]); return; }
  if (target === byId("list") && event.key === "Enter") { byId("trial").focus({ preventScroll: true }); return; }
  const key = keyOf(event);
  if (!KEYS[key] || !preferences.keys || byId("panes").hidden) return;
  event.preventDefault();
  KEYS[key]();
}

function keyOf(event) {
  // Layouts without Latin letters are read by the place of the key.
  const key = event.key.toLowerCase();
  if (KEYS[key]) return key;
  const place = /^Key(.)$/.exec(event.code || "");
  return place && !/^[a-z]$/.test(key) ? place[1].toLowerCase() : key;
}

function onEscape(event) {
  if (document.querySelector("dialog[open]")) return;
  if (!byId("tip").hidden) { byId("tip").hidden = true; return; }
  const open = byId("facets").querySelector("details[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); return; }
  if (event.target === byId("search")) { byId(byId("list").hidden ? "trials" : "list").focus({ preventScroll: true }); event.preventDefault(); return; }
  if (document.body.classList.contains("reading")) closeTrial();
}

function showHelp() {
  byId("keys").replaceChildren(...KEY_WORDS.map(([keys, words]) => element("div", {}, element("dt", {}, ...keys.split(" ").map(key => element("kbd", { text: key }))), element("dd", { text: words }))));
  byId("single-keys").checked = preferences.keys;
  byId("help").showModal();
  byId("help-name").focus();
}

function showTheme() {
  const [sign, words] = { auto: ["◐", "as the system"], light: ["☀", "light"], dark: ["☾", "dark"] }[preferences.theme] || ["◐", "as the system"];
  document.documentElement.dataset.theme = preferences.theme;
  byId("theme").textContent = sign;
  byId("theme").setAttribute("aria-label", `Colours: ${words}. Change`);
  byId("theme").title = `Colours: ${words} (T)`;
}

function changeTheme() {
  const order = ["auto", "light", "dark"];
  preferences.theme = order[(order.indexOf(preferences.theme) + 1) % order.length];
  keepPreferences();
  showTheme();
  say(byId("theme").getAttribute("aria-label").replace(" Change", ""));
}

// For ears alone: the eyes see it.
function tell(words) { byId("told").textContent = plain(words); }

let fading = 0;
function say(words) {
  byId("said").textContent = plain(words);
  byId("said").classList.remove("old");
  clearTimeout(fading);
  fading = setTimeout(() => byId("said").classList.add("old"), 3500);
}

function showTip(event) {
  const mark = event.target.closest?.("mark[data-tip]"), tip = byId("tip");
  for (const other of document.querySelectorAll("mark[aria-describedby]")) if (other !== mark) other.removeAttribute("aria-describedby");
  if (!mark) { tip.hidden = true; return; }
  tip.replaceChildren(...mark.dataset.tip.split("\n").slice(0, 8).map(line => element("p", { text: line })));
  tip.hidden = false;
  mark.setAttribute("aria-describedby", "tip");
  const box = (mark.getClientRects()[0] || mark.getBoundingClientRect()), own = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left, document.documentElement.clientWidth - own.width - 8));
  const below = box.bottom + 6, top = below + own.height > window.innerHeight - 8 ? box.top - own.height - 6 : below;
  tip.style.left = `${left}px`;
  tip.style.top = `${Math.max(8, top)}px`;
}
