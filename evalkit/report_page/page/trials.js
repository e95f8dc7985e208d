// The trials as the page finds them: unpacked, with what they can be filtered and searched by.

const report = { trials: [], texts: [], targets: [], baseline: null, run: "", demo: false, byKey: new Map(), families: new Map() };
const OUTCOMES = ["fail", "error", "unscored", "pass"];
const SIGNS = { pass: "✓", fail: "✗", unscored: "?", error: "!" };
const CHANGES = ["newly failing", "newly passing", "another outcome", "same outcome, other answer", "same answer", "not in the baseline"];
const SAID = ["correct", "wrong", "borderline", "unsure"];

async function unpacked() {
  const binary = atob(byId("data").textContent.trim());
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < binary.length; place += 1) bytes[place] = binary.charCodeAt(place);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

function takeIn(data) {
  Object.assign(report, data);
  byId("data").textContent = "";
  report.trials.forEach((trial, index) => {
    trial.index = index;
    for (const name of ["messages", "verdicts", "answers", "flags", "tags", "people", "asked"]) trial[name] ||= [];
    report.byKey.set(trial.key, trial);
    const family = familyOf(trial);
    if (!report.families.has(family)) report.families.set(family, []);
    report.families.get(family).push(trial);
  });
}

function familyOf(trial) { return `${trial.file}\n${trial.probe}`; }
function textOf(place) { return place === undefined || place === null || place < 0 ? "" : report.texts[place]; }
function lastAnswer(trial) { return trial.answers[trial.answers.length - 1]; }
function answerText(trial) { return textOf(lastAnswer(trial)?.text); }
function isReference(trial) { return report.targets.find(target => target.label === trial.target)?.role === "reference"; }
function conditionOf(label) { const parts = label.split(":"); return parts.length === 4 ? parts[2] : null; }

function changeOf(trial) {
  const before = trial.before;
  if (!before) return "not in the baseline";
  if (before.outcome === "pass" && trial.outcome === "fail") return "newly failing";
  if (before.outcome === "fail" && trial.outcome === "pass") return "newly passing";
  if (before.outcome !== trial.outcome) return "another outcome";
  const isSame = before.answers.length === trial.answers.length && trial.answers.every((answer, at) => answer.text === before.answers[at].text);
  return isSame ? "same answer" : "same outcome, other answer";
}

function flagsOf(trial) {
  const found = trial.flags.map(flag => flag.replaceAll("_", " "));
  if (trial.answers.some(answer => answer.finish === "length")) found.push("cut at length");
  if (trial.answers.some(answer => answer.thinking !== undefined)) found.push("with thinking");
  const required = new Set(trial.verdicts.filter(verdict => !verdict.optional && verdict.outcome !== "unscored").map(verdict => verdict.outcome));
  if (required.size > 1) found.push("judges disagree");
  if (trial.stored) found.push("from the store");
  if (trial.perturbed) found.push("perturbed");
  return found;
}

function saidOf(trial) {
  const decided = [...new Set(trial.people.map(label => label.value).filter(value => value === "correct" || value === "wrong"))];
  if (!trial.people.length) return ["not reviewed"];
  const found = ["reviewed", ...SAID.filter(value => trial.people.some(label => label.value === value)).map(value => `called ${value}`)];
  if (decided.length > 1) found.push("people disagree");
  const last = trial.people.findLast(label => label.decides) || trial.people.findLast(label => decided.includes(label.value));
  if (last && ((last.value === "correct" && trial.outcome === "fail") || (last.value === "wrong" && trial.outcome === "pass"))) found.push("against the verdict");
  return found;
}

function kindsOf(trial) {
  const found = trial.verdicts.flatMap(verdict => Object.entries(verdict.labels || {}).filter(([, value]) => typeof value === "string" && value && value.length < 60).map(([, value]) => value.replaceAll("_", " ").toLowerCase()));
  return [...new Set(found)];
}

const FACETS = [
  { id: "outcome", name: "Outcome", of: trial => [trial.outcome], order: OUTCOMES },
  { id: "target", name: "Target", of: trial => [trial.target], order: () => report.targets.map(target => target.label) },
  { id: "role", name: "Role", of: trial => [isReference(trial) ? "reference" : "subject"] },
  { id: "category", name: "Category", of: trial => [trial.category] },
  { id: "suite", name: "Suite", of: trial => [trial.suite] },
  { id: "condition", name: "Condition", of: trial => [conditionOf(trial.target) || "none"] },
  { id: "judge", name: "Judge", of: trial => [...new Set(trial.verdicts.map(verdict => `${verdict.judge}: ${verdict.outcome}`))] },
  { id: "kind", name: "Kind", of: kindsOf },
  { id: "flag", name: "Flags", of: flagsOf },
  { id: "change", name: "Against the baseline", of: trial => report.baseline ? [changeOf(trial)] : [], order: CHANGES },
  { id: "people", name: "People", of: trial => saidOf(trial), order: ["reviewed", "against the verdict", "people disagree", ...SAID.map(value => `called ${value}`), "not reviewed"] },
  { id: "language", name: "Language", of: trial => trial.language ? [trial.language] : [] },
];

// Values of every facet by number; a facet that tells no trials apart is not shown.
function makeFacets() {
  for (const facet of FACETS) {
    const own = report.trials.map(facet.of), known = new Set(own.flat());
    const order = typeof facet.order === "function" ? facet.order() : facet.order;
    facet.values = order ? [...order.filter(value => known.has(value)), ...[...known].filter(value => !order.includes(value)).sort()] : [...known].sort();
    const places = new Map(facet.values.map((value, place) => [value, place]));
    facet.trials = own.map(values => values.map(value => places.get(value)));
    facet.tells = facet.values.length > 1 || (facet.values.length === 1 && own.some(values => !values.length));
  }
}

const SCOPES = {
  all: "everywhere", prompt: "in prompts", answer: "in answers", thinking: "in thinking", reason: "in reasons and verdicts", id: "in names",
};

function placesOf(trial) {
  const prompt = [trial.expected, ...trial.messages.map(([, text]) => text)];
  const answer = trial.answers.map(item => item.text), thinking = trial.answers.map(item => item.thinking);
  const reason = [trial.reason, ...trial.verdicts.map(verdict => verdict.reason), ...trial.people.map(label => label.note)];
  const known = list => list.filter(place => place !== undefined && place !== null && place >= 0);
  return { prompt: known(prompt), answer: known(answer), thinking: known(thinking), reason: known(reason) };
}

const search = { lowered: null, names: null, places: null };

function prepareSearch() {
  if (search.lowered) return;
  search.lowered = report.texts.map(text => text.toLowerCase());
  search.names = report.trials.map(trial => [trial.trial, trial.subcategory, ...trial.tags].join(" ").toLowerCase());
  search.places = report.trials.map(placesOf);
}

function wordsIn(query) { return [...query.toLowerCase().matchAll(/"([^"]+)"?|(\S+)/g)].map(match => (match[1] ?? match[2]).trim()).filter(word => word && word !== '"'); }

// Which trials have all the words, as bytes; null where nothing is searched for.
function searched(query, scope) {
  const words = wordsIn(query);
  if (!words.length) return null;
  prepareSearch();
  const found = new Uint8Array(report.trials.length).fill(1);
  for (const word of words) {
    const has = new Uint8Array(search.lowered.length);
    const hasText = place => (has[place] || (has[place] = search.lowered[place].includes(word) ? 2 : 1)) === 2;
    for (let index = 0; index < found.length; index += 1) {
      if (!found[index]) continue;
      const places = search.places[index];
      const parts = scope === "all" ? [places.reason, places.prompt, places.answer, places.thinking] : [places[scope] || []];
      const named = (scope === "all" || scope === "id") && search.names[index].includes(word);
      if (!named && !parts.some(part => part.some(hasText))) found[index] = 0;
    }
  }
  return found;
}
