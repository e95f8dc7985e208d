// What is asked of the list: words, filters, order; their counts; and the address that holds them.

const state = { query: "", scope: "all", sort: "run", chosen: {}, trial: null, view: "answer", other: null, found: [], isChosen: false, isPushed: false };

const SORTS = {
  run: ["in the order of the run", () => 0],
  failing: ["failing first", trial => OUTCOMES.indexOf(trial.outcome)],
  changed: ["changed first", trial => CHANGES.indexOf(changeOf(trial))],
  probe: ["probe by probe", trial => report.families.get(familyOf(trial))[0].index],
  score: ["lowest score first", trial => trial.score ?? Infinity],
  longest: ["longest answer first", trial => -answerText(trial).length],
  tokens: ["most tokens first", trial => -(trial.tokens?.[1] || 0)],
  slowest: ["slowest first", trial => -(trial.seconds || 0)],
};

function chosenIn(facet) { return state.chosen[facet.id] || (state.chosen[facet.id] = new Set()); }

// Sets state.found, and on every facet how many trials each value would leave.
function filter() {
  const matching = searched(state.query, state.scope);
  const used = FACETS.map(facet => new Set([...chosenIn(facet)].map(value => facet.values.indexOf(value))));
  const counts = FACETS.map(facet => new Uint32Array(facet.values.length));
  const found = [];
  for (let index = 0; index < report.trials.length; index += 1) {
    if (matching && !matching[index]) continue;
    let missed = 0, which = -1;
    for (let facet = 0; facet < FACETS.length; facet += 1) {
      if (used[facet].size && !FACETS[facet].trials[index].some(value => used[facet].has(value))) { missed += 1; which = facet; }
      if (missed > 1) break;
    }
    if (missed > 1) continue;
    if (!missed) found.push(report.trials[index]);
    for (let facet = 0; facet < FACETS.length; facet += 1) {
      if (missed === 0 || which === facet) for (const value of FACETS[facet].trials[index]) counts[facet][value] += 1;
    }
  }
  FACETS.forEach((facet, place) => { facet.counts = counts[place]; });
  if (state.sort !== "run") {
    const key = SORTS[state.sort][1], keys = new Map(found.map(trial => [trial, key(trial)]));
    found.sort((a, b) => keys.get(a) - keys.get(b) || a.index - b.index);
  }
  state.found = found;
}

function toggle(facet, value) {
  const own = chosenIn(facet);
  if (!own.delete(value)) own.add(value);
  refilter();
}

// Filters anew and shows it; how long that takes can be read from the page's own measures.
function refilter() {
  const begun = performance.now();
  filter();
  showFacets();
  showFound();
  showSomething();
  performance.measure("evalkit-filter", { start: begun, end: performance.now() });
  writeAddress();
}

function address() {
  const said = new URLSearchParams();
  if (state.isChosen) said.set("trial", state.trial);
  if (state.query) said.set("q", state.query);
  if (state.query && state.scope !== "all") said.set("in", state.scope);
  if (state.sort !== "run") said.set("sort", state.sort);
  for (const facet of FACETS) for (const value of chosenIn(facet)) said.append(facet.id, value);
  if (state.isChosen && state.view !== "answer") said.set("view", state.view);
  if (state.isChosen && state.view === "diff" && state.other) said.set("with", state.other);
  return said.toString();
}

function writeAddress(isNew = false) {
  const hash = address();
  if (hash === location.hash.slice(1)) return;
  try {
    window.history[isNew ? "pushState" : "replaceState"](null, "", hash ? `#${hash}` : location.href.split("#")[0]);
  } catch { /* a page that may not change its address works all the same */ }
}

// Whether the address says anything of trials.
function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  const isOurs = location.hash.includes("=");
  state.query = said.get("q") || "";
  state.scope = Object.hasOwn(SCOPES, said.get("in")) ? said.get("in") : "all";
  state.sort = Object.hasOwn(SORTS, said.get("sort")) ? said.get("sort") : "run";
  for (const facet of FACETS) state.chosen[facet.id] = new Set(said.getAll(facet.id).filter(value => facet.values.includes(value)));
  const named = said.get("trial"), trial = report.byKey.get(named) || report.trials.find(item => item.trial === named);
  state.trial = trial ? trial.key : null;
  state.isChosen = Boolean(trial);
  state.view = ["answer", "diff", "raw"].includes(said.get("view")) ? said.get("view") : "answer";
  state.other = said.get("with");
  return { isOurs, missing: named && !trial ? named : null };
}
