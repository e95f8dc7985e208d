// The beginning: what is static is on the screen before any of this runs.

function wire() {
  const on = (id, kind, act) => byId(id).addEventListener(kind, act);
  document.addEventListener("keydown", onKey);
  for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, showTip);
  document.addEventListener("click", event => { if (!event.target.closest("#facets")) for (const fold of byId("facets").children) fold.open = false; });
  window.addEventListener("beforeprint", makePaper);
  window.addEventListener("afterprint", clearPaper);
  window.addEventListener("popstate", takeAddress);
  on("search", "input", () => { state.query = byId("search").value; refilter(); });
  on("scope", "change", () => { state.scope = byId("scope").value; refilter(); });
  on("sort", "change", () => { state.sort = byId("sort").value; refilter(); });
  on("clear", "click", () => { clearAll(); byId("search").focus({ preventScroll: true }); });
  on("more-filters", "click", () => {
    const isOpen = byId("controls").classList.toggle("filters-open");
    byId("more-filters").setAttribute("aria-expanded", String(isOpen));
  });
  let waiting = false;
  on("list", "scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; lookAtList(); });
  });
  window.addEventListener("resize", lookAtList);
  on("single-keys", "change", () => { preferences.keys = byId("single-keys").checked; keepPreferences(); });
}

// Links inside the page go where they say and leave the address to the trials.
function wireLinks() {
  for (const link of document.querySelectorAll('nav a[href^="#"], a.skip')) {
    link.addEventListener("click", event => {
      event.preventDefault();
      const place = byId(link.getAttribute("href").slice(1));
      place.scrollIntoView({ block: "start" });
      place.focus({ preventScroll: true });
    });
  }
}

function takeAddress() {
  const { isOurs, missing } = readAddress();
  filter();
  showFacets();
  showFound();
  const trial = report.byKey.get(state.trial);
  if (trial) openTrial(trial, { quiet: true });
  else {
    document.body.classList.remove("reading");
    state.isPushed = false;
    showSomething();
  }
  if (isOurs) byId("trials").scrollIntoView({ block: "start" });
  if (missing) say(`This report has no trial ${missing}.`);
}

// A wide page has room for a trial that nobody chose yet: the first failing one of the list. The address leaves it out.
function showSomething() {
  if (!state.isChosen) {
    const first = state.found.find(item => item.outcome === "fail" && !isReference(item)) || state.found[0];
    state.trial = first && !isNarrow() ? first.key : null;
    if (state.trial) reveal(first);
  }
  showTrial();
}

async function begin() {
  byId("loading").hidden = false;
  try {
    takeIn(await unpacked());
  } catch (error) {
    byId("loading").textContent = `The trials cannot be unpacked here (${error.message}). A browser of 2023 or later can; verdict, tables and plots are whole, and results.jsonl holds every trial.`;
    return;
  }
  makeFacets();
  makeControls();
  byId("loading").hidden = true;
  byId("controls").hidden = false;
  byId("panes").hidden = false;
  lookAtList();
  takeAddress();
  performance.mark("evalkit-ready");
  (window.requestIdleCallback || setTimeout)(prepareSearch);
}

readPreferences();
for (const id of ["theme", "open-help"]) byId(id).hidden = false;
showTheme();
byId("theme").addEventListener("click", changeTheme);
byId("open-help").addEventListener("click", showHelp);
wire();
wireLinks();
requestAnimationFrame(() => setTimeout(begin));
