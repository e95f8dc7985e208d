// Keys, buttons and the beginning.

const KEYS = {
  enter: () => goOn(), arrowright: () => step(1), arrowleft: () => step(-1), j: () => step(1), k: () => step(-1),
  u: undo, n: () => byId("note").focus(), t: () => { if (!byId("thinking-fold").hidden) byId("thinking-fold").open = !byId("thinking-fold").open; },
  r: () => byId("reveal").click(), l: showList, d: download, "?": showHelp,
  ...Object.fromEntries(DATA.labels.map(label => [LABEL_KEYS[label.name], () => judge(label.name)])),
  ...Object.fromEntries(DATA.kinds.map(kind => [KIND_KEYS[kind.name].toLowerCase(), () => judgeKind(kind.name)])),
};
const ALSO_WHEN_DONE = ["d", "l", "?", "u", "arrowleft", "k"];

function keyOf(event) {
  // Layouts that have no Latin letters, or digits only with Shift, are read by the place of the key.
  const key = event.key.toLowerCase();
  if (KEYS[key]) return key;
  const place = /^(?:Digit|Numpad|Key)(.)$/.exec(event.code || "");
  return place && !event.shiftKey && !/^[a-z0-9]$/.test(key) ? place[1].toLowerCase() : key;
}

function onKey(event) {
  spend();
  if (document.querySelector("dialog[open]") || event.isComposing) return;
  const target = event.target;
  if (target === byId("note")) { onNoteKey(event); return; }
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z") { event.preventDefault(); undo(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "checkbox") return;
  const key = keyOf(event);
  if (key === "enter" && /^(BUTTON|A|SUMMARY|INPUT)$/.test(target.tagName)) return;
  if (!KEYS[key] || (!preferences.keys && key.length === 1)) return;
  if (byId("item").hidden && !ALSO_WHEN_DONE.includes(key)) return;
  event.preventDefault();
  if (byId("item").hidden && (key === "arrowleft" || key === "k")) { goTo(current()); return; }
  KEYS[key]();
}

function onNoteKey(event) {
  if (event.key === "Escape") { event.preventDefault(); byId("heading").focus({ preventScroll: true }); }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); byId("heading").focus({ preventScroll: true }); goOn(); }
}

function wire() {
  const on = (id, kind, act) => byId(id).addEventListener(kind, act);
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", leaveButton, { capture: true });
  for (const kind of ["pointermove", "pointerdown", "scroll"]) document.addEventListener(kind, spend, { passive: true });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") session.touched = performance.now(); else if (session.state) keep(); });
  window.addEventListener("pagehide", () => { if (session.state) { spend(); keep(); } });
  window.addEventListener("beforeunload", event => { if (session.state && !session.isKept && session.state.waiting) event.preventDefault(); });
  window.addEventListener("storage", event => {
    // What could not be kept here is nowhere else.
    if (session.state && session.isKept && event.key === PREFIX + stateKey(session.reviewer) && event.newValue) {
      const at = current();
      session.state = { ...sound(storage.read(stateKey(session.reviewer))), at };
      showJudgement();
    }
  });
  window.addEventListener("beforeprint", makePaper);
  window.addEventListener("afterprint", () => byId("paper").replaceChildren());
  on("note", "input", () => { change(current(), { note: byId("note").value, ...(isJudged(current()) ? { at: Date.now() } : {}) }); if (isJudged(current())) session.state.waiting += 1; keep(); showProgress(); });
  on("previous", "click", () => step(-1));
  on("next", "click", () => step(1));
  on("undo", "click", undo);
  on("reveal", "change", () => { session.state.reveal = byId("reveal").checked; showJudgement(); keep(); say(session.state.reveal ? "Model and verdict are shown." : "Model and verdict are hidden."); });
  on("advance", "change", () => { preferences.advance = byId("advance").checked; keepPreferences(); showJudgement(); });
  on("single-keys", "change", () => { preferences.keys = byId("single-keys").checked; keepPreferences(); });
  on("open-list", "click", showList);
  on("open-help", "click", showHelp);
  on("theme", "click", changeTheme);
  on("download", "click", download);
  on("done-download", "click", download);
  on("done-back", "click", () => goTo(0));
  on("open-name", "click", () => { byId("other-name").value = session.reviewer; byId("naming").showModal(); byId("other-name").select(); });
  on("naming-form", "submit", event => {
    // A closed dialog gives the focus back to its button, where Enter would open it again.
    event.preventDefault();
    byId("naming").close();
    byId(byId("item").hidden ? "done-name" : "heading").focus({ preventScroll: true });
    rename(byId("other-name").value.trim(), event.submitter?.value === "other");
  });
  on("welcome-form", "submit", event => { const name = byId("reviewer").value.trim(); if (!name) { event.preventDefault(); return; } begin(name); });
  on("welcome", "cancel", event => event.preventDefault());
  on("restore", "change", async event => {
    const file = event.target.files[0];
    if (!file) return;
    const words = restoredWords(restore(await file.text()), file.name);
    byId("list").close();
    goTo(current(), words);
    event.target.value = "";
  });
  for (const button of document.querySelectorAll("button.close")) button.addEventListener("click", () => button.closest("dialog").close());
}

function leaveButton(event) {
  // After a click the keys mean labels again, and Enter does not press the same button a second time.
  const button = event.detail > 0 && event.target.closest?.("button");
  if (button && !button.closest("dialog") && !byId("item").hidden && session.state) byId("heading").focus({ preventScroll: true });
}

function begin(name) {
  document.body.classList.remove("beginning");
  takeUp(name);
  session.touched = performance.now();
  if (ITEMS.length && judged().length === ITEMS.length) { showItem(); showJudgement(); showDone(); return; }
  goTo(isJudged(current()) ? nextOpen(current()) : current());
}

storage.probe();
byId("title").textContent = DATA.title;
showTheme();
makeButtons();
wire();
if (!ITEMS.length) {
  document.body.classList.remove("beginning");
  byId("item").hidden = true;
  byId("done").hidden = false;
  byId("done").replaceChildren(element("h2", { text: "There is nothing to review." }));
} else if (preferences.reviewer) {
  begin(preferences.reviewer);
} else {
  welcome();
}
