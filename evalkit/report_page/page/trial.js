// One trial: what was asked, what came, what the judges and people said of it, how to run it again.

const ROLES = { user: "User", assistant: "Model", system: "System" };
const FOLDED_FROM = 700;
const NOTES = {
  implicit: "its thinking had no opening tag", unclosed: "its thinking was never closed", late: "it thought after it had begun to answer",
  multiple: "it thought more than once", empty: "its thinking is empty", untagged: "its thinking had no tags",
};

function isNarrow() { return window.matchMedia("(max-width: 900px)").matches; }

function openTrial(trial, { quiet = false } = {}) {
  const isNew = !quiet && isNarrow() && !document.body.classList.contains("reading");
  if (state.trial !== trial.key && !quiet) state.other = null;
  state.trial = trial.key;
  state.isChosen = true;
  document.body.classList.add("reading");
  showTrial();
  reveal(trial);
  writeAddress(isNew);
  if (quiet) return;
  state.isPushed ||= isNew;
  byId("trial").scrollTop = 0;
  if (!isNarrow()) {
    const box = byId("panes").getBoundingClientRect();
    if (box.top < 0 || box.bottom > window.innerHeight + 40) byId("trials").scrollIntoView({ block: "start" });
  }
  if (isNarrow() || document.activeElement === document.body) byId("trial").focus({ preventScroll: true });
  const place = placeOf(trial);
  tell(`${trial.probe} on ${trial.target}: ${trial.outcome}${place >= 0 ? `, ${place + 1} of ${state.found.length}` : ""}.`);
}

// Back to the list: on a phone as the browser's own button does it, so that neither surprises.
function goBack() {
  if (state.isPushed) history.back();
  else closeTrial();
}

function closeTrial() {
  document.body.classList.remove("reading");
  if (isNarrow()) { Object.assign(state, { trial: null, isChosen: false }); markCurrent(); writeAddress(); }
  byId("list").focus({ preventScroll: true });
}

function badge(outcome, kind = "badge") {
  return element("span", { class: `${kind} ${outcome}` }, element("span", { "aria-hidden": "true", text: `${SIGNS[outcome] || "·"} ` }), outcome);
}

function section(name, kind, ...children) {
  const id = `part-${kind}`;
  return element("section", { class: kind, "aria-labelledby": id }, element("h4", { id, text: name }), ...children);
}

function showTrial() {
  const trial = report.byKey.get(state.trial), place = byId("trial");
  if (!trial) { place.replaceChildren(element("p", { class: "hint", text: "Choose a trial to read it." })); return; }
  const scroll = place.scrollTop;
  place.replaceChildren(...[
    headNode(trial), reasonNode(trial), promptNode(trial), expectedNode(trial), answerNode(trial),
    verdictsNode(trial), peopleNode(trial), familyNode(trial), commandNode(trial),
  ].filter(Boolean));
  place.scrollTop = scroll;
}

function headNode(trial) {
  const at = placeOf(trial);
  const tool = (id, text, label, act) => {
    const button = element("button", { type: "button", id, "aria-label": label, title: label, text });
    button.addEventListener("click", act);
    return button;
  };
  const facts = [
    trial.suite, [trial.category, trial.subcategory].filter(Boolean).join(" / "), trial.sample ? `sample ${trial.sample}` : null, trial.language,
    trial.step !== undefined ? `step ${trial.step}` : null, trial.perturbed ? `noise of ${trial.perturbed.of}` : null, trial.score !== undefined ? `score ${rounded(trial.score)}` : null,
    trial.tokens ? `${trial.tokens[1].toLocaleString("en")} tokens` : null, ...flagsOf(trial), ...trial.tags.map(tag => `#${tag}`),
  ];
  return element("header", { class: "trial-head" },
    element("div", { class: "trial-tools" },
      tool("back", "← List", "Back to the list", goBack),
      element("span", { class: "where", text: at >= 0 ? `${(at + 1).toLocaleString("en")} of ${state.found.length.toLocaleString("en")}` : "not in the list as filtered" }),
      tool("previous", "↑", "Previous trial (K)", () => step(-1)), tool("next", "↓", "Next trial (J)", () => step(1)),
      tool("copy-link", "Link", "Copy the link to this trial (L)", copyLink)),
    element("h3", { id: "trial-name" }, badge(trial.outcome), " ", ...nodesOf(trial.probe)),
    element("p", { class: "target-line" }, ...nodesOf(trial.target), isReference(trial) ? element("span", { class: "role", text: "reference" }) : ""),
    element("p", { class: "file-line" }, ...nodesOf(`${trial.file}:${trial.line}`)),
    element("ul", { class: "facts-line" }, ...facts.filter(Boolean).map(text => element("li", {}, ...nodesOf(String(text))))));
}

function reasonNode(trial) {
  return element("div", { class: `reason ${trial.outcome}` }, textBlock(textOf(trial.reason), { words: wordsIn(state.query) }));
}

function expectedNode(trial) {
  return trial.expected === undefined ? null : section("Expected", "expected", textBlock(textOf(trial.expected), { words: wordsIn(state.query) }));
}

function promptNode(trial) {
  const last = trial.messages.length - 1;
  const asked = trial.messages.filter(([role, , answer], place) => !(place === last && role === "assistant" && answer >= 0));
  if (!asked.length) return section("Prompt", "prompt", element("p", { class: "quiet", text: trial.answers.length ? "It is not kept." : "Its texts are not in the store." }));
  const nodes = asked.map(([role, text, answer]) => answer >= 0 ? turnNode(trial, answer) : messageNode(trial, role, textOf(text), asked.length > 1));
  return section(asked.length > 1 ? "Conversation" : "Prompt", "prompt", ...nodes);
}

function messageNode(trial, role, text, isNamed) {
  const body = textBlock(text, { language: role === "system" ? null : trial.language, words: wordsIn(state.query) });
  if (role === "system" && text.length > FOLDED_FROM) return element("details", { class: "message system" }, element("summary", { text: `System, ${text.length.toLocaleString("en")} characters` }), body);
  const known = Object.hasOwn(ROLES, role);
  return element("div", { class: `message ${known ? role : "other"}` }, isNamed || role !== "user" ? element("h5", { text: ROLES[role] || plain(role) }) : "", body);
}

function turnNode(trial, number) {
  const answer = trial.answers[number];
  return element("div", { class: "message assistant" }, element("h5", { text: `Model, answer ${number + 1}` }),
    thinkingNode(trial, answer), textBlock(textOf(answer.text), factsOf(trial, answer)));
}

function factsOf(trial, answer, inThinking = 0) {
  const layers = (answer.marks || []).filter(mark => mark[4] === inThinking).map(([start, end, verdict, why]) => ({
    start, end, verdict, why: textOf(why), judge: trial.verdicts[verdict]?.judge || "judge", outcome: trial.verdicts[verdict]?.outcome || "unscored",
  }));
  return { layers, language: trial.language, words: wordsIn(state.query) };
}

function thinkingNode(trial, answer) {
  if (answer?.thinking === undefined) return "";
  const text = textOf(answer.thinking), facts = factsOf(trial, answer, 1), hits = hitsIn(text, facts.words).length;
  const counted = [facts.layers.length ? `${facts.layers.length} marked` : "", hits ? `${hits} found` : ""].filter(Boolean).join(", ");
  const body = element("div", { class: "text" });
  const fold = element("details", { class: "thinking" }, element("summary", {}, element("kbd", { "aria-hidden": "true", text: "H" }), ` Thinking, ${text.length.toLocaleString("en")} characters${counted ? ` (${counted})` : ""}`), body);
  fold.addEventListener("toggle", () => { if (fold.open && !body.firstChild) showLayered(body, text, facts); });
  return fold;
}

function answerNode(trial) {
  const answer = lastAnswer(trial);
  if (!answer) return section("Answer", "answer", element("p", { class: "quiet", text: trial.outcome === "error" ? "There is none: the trial ended in an error." : "Its answer is not in the store." }));
  const others = counterparts(trial);
  const views = [["answer", "Answer"], ...(others.length ? [["diff", "Compare"]] : []), ["raw", "Raw"]];
  if (!views.some(([name]) => name === state.view)) state.view = "answer";
  const tabs = element("div", { class: "tabs", role: "group", "aria-label": "How to show the answer" }, ...views.map(([name, text]) => {
    const button = element("button", { type: "button", "data-view": name, "aria-pressed": String(state.view === name), text });
    button.addEventListener("click", () => setView(name));
    return button;
  }));
  const bodies = {
    answer: () => [thinkingNode(trial, answer), textBlock(textOf(answer.text), factsOf(trial, answer), "text own"), markKey(trial, answer)],
    diff: () => [diffNode(trial, others)],
    raw: () => [element("p", { class: "quiet", text: "As the model wrote it, with its special tokens." }), textBlock(textOf(answer.raw ?? answer.text), { words: wordsIn(state.query) }, "text raw")],
  };
  const notes = [...(answer.notes || []).map(note => NOTES[note] || note), answer.finish === "length" ? "it was cut at max_new_tokens" : null].filter(Boolean);
  const made = section(trial.answers.length > 1 ? `Answer ${trial.answers.length}` : "Answer", "answer", ...bodies[state.view]().filter(Boolean),
    notes.length ? element("p", { class: "quiet", text: `About this answer: ${notes.join("; ")}.` }) : "");
  made.firstChild.after(tabs);
  return made;
}

function markKey(trial, answer) {
  const used = [...new Set((answer.marks || []).filter(mark => !mark[4]).map(mark => mark[2]))];
  if (!used.length) return null;
  return element("ul", { class: "mark-key", "aria-label": "Who marked what" }, ...used.map(place => {
    const verdict = trial.verdicts[place];
    return element("li", {}, element("span", { class: `evidence ${verdict.outcome} line${place % 5}`, text: "marked" }), plain(` by ${verdict.judge}: ${verdict.outcome}`));
  }));
}

function setView(view) {
  Object.assign(state, { view, isChosen: true });
  showTrial();
  writeAddress();
  byId("trial").querySelector(`[data-view="${view}"]`)?.focus({ preventScroll: true });
}

function rounded(value) { return typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value); }

function verdictsNode(trial) {
  if (!trial.verdicts.length && !trial.asked.length) return null;
  return section("Verdicts", "verdicts", ...trial.verdicts.map((verdict, place) => verdictNode(trial, verdict, place)), ...trial.asked.map(askedNode));
}

function verdictNode(trial, verdict, place) {
  const pairs = [
    verdict.score === undefined ? null : ["score", rounded(verdict.score)],
    ...(verdict.flags || []).map(flag => ["flag", flag.replaceAll("_", " ")]),
    ...Object.entries(verdict.labels || {}).map(([name, value]) => [name, String(value)]),
    ...Object.entries(verdict.signals || {}).map(([name, value]) => [name, rounded(value)]),
  ].filter(Boolean);
  return element("div", { class: `verdict-card ${verdict.outcome}` },
    element("p", { class: "verdict-head" }, badge(verdict.outcome), " ", element("strong", {}, ...nodesOf(verdict.judge)),
      element("span", { class: "quiet" }, ...nodesOf([verdict.version ? `version ${verdict.version}` : "", verdict.optional ? "optional" : "", verdict.hash || ""].filter(Boolean).join(" · ")))),
    textBlock(textOf(verdict.reason), { words: wordsIn(state.query) }),
    pairs.length ? element("dl", { class: "signals" }, ...pairs.map(([name, value]) => element("div", {}, element("dt", {}, ...nodesOf(name.replaceAll("_", " "))), element("dd", {}, ...nodesOf(value))))) : "",
    ...(verdict.asked || []).map(askedNode));
}

function askedNode(question) {
  const cost = typeof question.cost === "number" ? `, $${question.cost.toFixed(4)}` : "";
  const why = question.failed ? `, failed: ${question.failed}` : "";
  return element("details", { class: "asked" }, element("summary", {}, ...nodesOf(`Asked ${question.of || "a model"}${cost}${why}`)),
    element("h5", { text: "Question" }), textBlock(textOf(question.question)), element("h5", { text: "Reply" }), textBlock(textOf(question.reply)));
}

function peopleNode(trial) {
  if (!trial.people.length) return null;
  return section("People", "people", ...trial.people.map(label => element("div", { class: "label-card" },
    element("p", { class: "verdict-head" }, element("strong", { class: `label-${label.value}`, text: label.value }), label.kind ? element("span", { text: plain(label.kind.toLowerCase().replaceAll("_", " ")) }) : "",
      element("span", { class: "quiet" }, ...nodesOf([label.by, new Date(label.at * 1000).toISOString().slice(0, 10), label.blind === true ? "blind" : label.blind === false ? "not blind" : "", label.decides ? "decides" : ""].filter(Boolean).join(" · ")))),
    textOf(label.note) ? textBlock(textOf(label.note), { words: wordsIn(state.query) }) : "")));
}

function familyNode(trial) {
  const others = (report.families.get(familyOf(trial)) || []).filter(other => other !== trial);
  if (!others.length) return null;
  return section("The same probe elsewhere", "family", element("ul", {}, ...others.slice(0, 60).map(other => {
    const button = element("button", { type: "button", class: "family-button" }, badge(other.outcome, "dot"), ...nodesOf(` ${other.target}${other.sample ? `, sample ${other.sample}` : ""}`));
    button.addEventListener("click", () => { openTrial(other); byId("trial").focus({ preventScroll: true }); });
    return element("li", {}, button);
  })));
}

function commandNode(trial) {
  const button = element("button", { type: "button", id: "copy-command", "aria-keyshortcuts": "C" }, element("kbd", { "aria-hidden": "true", text: "C" }), " Copy");
  button.addEventListener("click", copyCommand);
  return section("Run it again", "again", element("div", { class: "command" }, element("code", { tabindex: "0" }, ...nodesOf(textOf(trial.command))), button),
    element("p", { class: "quiet", text: "A stored answer is used again; --eval-fresh asks anew." }));
}

async function copy(text, words) {
  try {
    await navigator.clipboard.writeText(text);
    say(words);
  } catch {
    const field = element("textarea", { class: "aside", readonly: true });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    say(done ? words : "The browser does not let this page copy. Select it and copy it yourself.");
  }
}

function copyCommand() {
  const trial = report.byKey.get(state.trial);
  if (trial) copy(textOf(trial.command), "The command is copied.");
}

function copyLink() {
  state.isChosen = Boolean(state.trial);
  if (state.trial) copy(`${location.href.split("#")[0]}#${address()}`, "The link is copied.");
}
