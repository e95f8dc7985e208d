// The list: only the rows in sight exist, so five thousand are as fast as fifty.

const ROW = 66, SPARE = 6;
let drawn = { first: -1, last: -1, version: 0 }, version = 0;
const view = { top: 0, height: 800 }; // as the list last was: to ask it anew would lay the whole page out

function showFound() {
  version += 1;
  const count = state.found.length, all = report.trials.length;
  byId("count").textContent = count === all ? `${all.toLocaleString("en")} ${all === 1 ? "trial" : "trials"}` : `${count.toLocaleString("en")} of ${all.toLocaleString("en")} trials`;
  byId("sizer").style.height = `${count * ROW}px`;
  byId("none").hidden = count > 0;
  if (!all) byId("none").textContent = "This run has no trials.";
  byId("list").hidden = count === 0;
  scrollList(0);
  drawRows();
  markCurrent();
}

function scrollList(top) {
  if (top === view.top) return;
  view.top = top;
  byId("list").scrollTop = top;
}

function lookAtList() {
  Object.assign(view, { top: byId("list").scrollTop, height: byId("list").clientHeight || view.height });
  drawRows();
  markCurrent();
}

function drawRows() {
  const count = state.found.length, first = Math.max(0, Math.floor(view.top / ROW) - SPARE);
  const last = Math.min(count, Math.ceil((view.top + view.height) / ROW) + SPARE);
  if (drawn.first === first && drawn.last === last && drawn.version === version) return;
  drawn = { first, last, version };
  const words = wordsIn(state.query);
  byId("rows").style.transform = `translateY(${first * ROW}px)`;
  byId("rows").replaceChildren(...state.found.slice(first, last).map((trial, place) => rowNode(trial, first + place, words)));
}

function rowNode(trial, place, words) {
  const bits = [trial.target + (trial.sample ? `, sample ${trial.sample}` : ""), ...trial.flags.map(flag => flag.replaceAll("_", " "))];
  if (report.baseline) {
    const change = changeOf(trial);
    if (change === "newly failing" || change === "newly passing") bits.push(change);
  }
  if (trial.people.length) bits.push("reviewed");
  const node = element("div", {
    role: "option", class: `item ${trial.outcome}`, id: `row-${trial.key}`, "aria-selected": String(trial.key === state.trial),
    "aria-setsize": state.found.length, "aria-posinset": place + 1, "aria-label": plain([trial.outcome, trial.probe, trial.category, ...bits].join(", ")),
  },
    element("span", { class: `sign ${trial.outcome}`, "aria-hidden": "true", text: SIGNS[trial.outcome] }),
    element("span", { class: "title" }, ...nodesOf(trial.probe)),
    element("span", { class: "side" }, ...nodesOf(trial.category)),
    element("span", { class: "snippet" }, ...snippet(trial, words)),
    element("span", { class: "bits" }, ...bits.map((bit, at) => element("span", { class: at ? "bit" : "bit target", text: plain(bit) }))));
  node.addEventListener("click", () => openTrial(trial));
  return node;
}

// The beginning of the answer, or the first place where a word of the search stands.
function snippet(trial, words) {
  const found = words.length ? firstHit(trial, words) : null;
  if (!found) return [document.createTextNode(lineOf(answerText(trial) || textOf(trial.reason)) || "(empty)")];
  const from = Math.max(0, found.at - 40), text = lineOf(found.text.slice(from, found.at + 200));
  const layers = hitsIn(text, words);
  return [document.createTextNode(from ? "…" : ""), ...layeredNodes(text, 0, text.length, layers)];
}

function firstHit(trial, words) {
  const places = search.places[trial.index];
  const order = state.scope === "all" ? ["answer", "prompt", "thinking", "reason"] : [state.scope];
  for (const part of order) {
    for (const place of places[part] || []) {
      const at = search.lowered[place].indexOf(words[0]);
      if (at >= 0) return { text: textOf(place), at };
    }
  }
  return null;
}

function placeOf(trial) { return state.found.indexOf(trial); }

function markCurrent() {
  for (const row of byId("rows").children) row.setAttribute("aria-selected", String(row.id === `row-${state.trial}`));
  const isDrawn = state.trial && byId(`row-${state.trial}`);
  if (isDrawn) byId("list").setAttribute("aria-activedescendant", `row-${state.trial}`);
  else byId("list").removeAttribute("aria-activedescendant");
}

function reveal(trial) {
  const place = placeOf(trial), top = place * ROW;
  if (place < 0) return;
  if (top < view.top) scrollList(top);
  else if (top + ROW > view.top + view.height) scrollList(top + ROW - view.height);
  drawRows();
  markCurrent();
}

function step(by) {
  if (!state.found.length) return;
  const place = placeOf(report.byKey.get(state.trial));
  const next = place < 0 ? 0 : Math.min(state.found.length - 1, Math.max(0, place + by));
  if (next === place) { say(by > 0 ? "This is the last trial." : "This is the first trial."); return; }
  openTrial(state.found[next]);
}

// The next trial of the list that has one of these outcomes, round the end.
function stepTo(outcomes, words) {
  const place = placeOf(report.byKey.get(state.trial)), count = state.found.length;
  for (let by = 1; by <= count; by += 1) {
    const trial = state.found[(place + by + count) % count];
    if (outcomes.includes(trial.outcome) && trial.key !== state.trial) { openTrial(trial); return; }
  }
  say(`There is no other ${words} trial in this list.`);
}
