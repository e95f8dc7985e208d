// The controls above the list.

function makeControls() {
  byId("scope").replaceChildren(...Object.entries(SCOPES).map(([value, text]) => element("option", { value, text })));
  const sorts = Object.entries(SORTS).filter(([name]) => (name !== "changed" || report.baseline) && (name !== "score" || report.trials.some(trial => trial.score !== undefined)));
  byId("sort").replaceChildren(...sorts.map(([value, [text]]) => element("option", { value, text })));
  const [outcome, ...others] = FACETS;
  byId("outcomes").replaceChildren(...outcome.values.map(value => {
    const button = element("button", { type: "button", class: `outcome ${value}`, "aria-pressed": "false", "data-value": value },
      element("span", { class: "sign", "aria-hidden": "true", text: SIGNS[value] }), element("span", { text: value }), element("span", { class: "number" }));
    button.addEventListener("click", () => toggle(outcome, value));
    return button;
  }));
  byId("facets").replaceChildren(...others.filter(facet => facet.tells).map(facetNode));
}

function facetNode(facet) {
  const values = facet.values.map((value, place) => {
    const box = element("input", { type: "checkbox", "data-place": place });
    box.addEventListener("change", () => toggle(facet, value));
    return element("label", {}, box, element("span", { class: "value" }, ...nodesOf(value)), element("span", { class: "number" }));
  });
  const fold = element("details", { class: "facet", "data-facet": facet.id },
    element("summary", {}, element("span", { text: facet.id === "change" ? plain(`Against ${report.baseline}`) : facet.name }), element("span", { class: "used" })),
    element("div", { class: "values", role: "group", "aria-label": facet.name }, ...values));
  fold.addEventListener("toggle", () => { if (fold.open) for (const other of byId("facets").children) if (other !== fold) other.open = false; });
  return fold;
}

function showFacets() {
  const [outcome, ...others] = FACETS;
  for (const button of byId("outcomes").children) {
    const value = button.dataset.value;
    button.setAttribute("aria-pressed", String(chosenIn(outcome).has(value)));
    button.querySelector(".number").textContent = outcome.counts[outcome.values.indexOf(value)].toLocaleString("en");
  }
  for (const fold of byId("facets").children) {
    const facet = others.find(item => item.id === fold.dataset.facet), used = chosenIn(facet);
    fold.classList.toggle("in-use", used.size > 0);
    fold.querySelector(".used").textContent = used.size ? String(used.size) : "";
    for (const label of fold.querySelectorAll("label")) {
      const box = label.querySelector("input"), place = Number(box.dataset.place);
      box.checked = used.has(facet.values[place]);
      label.querySelector(".number").textContent = facet.counts[place].toLocaleString("en");
      label.classList.toggle("idle", !facet.counts[place] && !box.checked);
    }
  }
  const chips = FACETS.flatMap(facet => [...chosenIn(facet)].map(value => [facet, value]));
  byId("chips").replaceChildren(...chips.map(([facet, value]) => {
    const button = element("button", { type: "button", class: "chip", "aria-label": plain(`Take the filter away: ${facet.name} ${value}`) }, ...nodesOf(value), element("span", { "aria-hidden": "true", text: " ×" }));
    button.addEventListener("click", () => { toggle(facet, value); byId("search").focus({ preventScroll: true }); });
    return element("li", {}, button);
  }));
  byId("more-filters").textContent = chips.length ? `Filters (${chips.length})` : "Filters";
  byId("clear").hidden = !chips.length && !state.query;
  if (byId("search").value !== state.query) byId("search").value = state.query;
  byId("scope").value = state.scope;
  byId("sort").value = state.sort;
}

function clearAll() {
  state.query = "";
  state.chosen = {};
  refilter();
}
