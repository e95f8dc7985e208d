// What goes on paper beside the static parts: every failing trial, as far as paper is patient.

const MOST_SHEETS = 200, MOST_ON_PAPER = 3000;

function cutForPaper(text) {
  return text.length > MOST_ON_PAPER ? `${text.slice(0, MOST_ON_PAPER)}\n[… ${text.length.toLocaleString("en")} characters in all …]` : text;
}

function makePaper() {
  for (const fold of document.querySelectorAll("#tables details, #plots details")) { fold.dataset.was = String(fold.open); fold.open = true; }
  const failing = report.trials.filter(trial => trial.outcome === "fail" && !isReference(trial));
  if (!failing.length) return;
  const left = failing.length - MOST_SHEETS;
  byId("paper").replaceChildren(element("h2", { text: `Failing trials: ${failing.length.toLocaleString("en")}` }), ...failing.slice(0, MOST_SHEETS).map(sheetNode),
    left > 0 ? element("p", { text: `… and ${left.toLocaleString("en")} more, in the page and in results.jsonl.` }) : "");
}

function sheetNode(trial) {
  const part = (name, text) => element("div", { class: "sheet-part" }, element("h4", { text: name }), element("div", { class: "text", dir: "auto" }, ...plainNodes(cutForPaper(text))));
  const last = trial.answers.length - 1, asked = trial.messages.filter(([, , answer]) => answer < 0 || answer < last);
  const turns = asked.map(([role, text, answer]) => part(ROLES[role] || plain(role), answer < 0 ? textOf(text) : textOf(trial.answers[answer].text)));
  const answer = lastAnswer(trial), marks = answer ? factsOf(trial, answer).layers.filter(layer => layer.start < MOST_ON_PAPER) : [];
  const text = cutForPaper(answerText(trial)), own = element("div", { class: "text", dir: "auto" }, ...layeredNodes(text, 0, text.length, marks));
  return element("section", { class: "sheet" }, element("h3", {}, ...nodesOf(`${trial.probe} on ${trial.target}`)),
    element("p", { class: "quiet" }, ...nodesOf(`${trial.category}, ${trial.file}:${trial.line}`)), element("p", {}, element("strong", {}, ...nodesOf(lineOf(textOf(trial.reason), 600)))),
    ...turns, trial.expected === undefined ? "" : part("Expected", textOf(trial.expected)), element("div", { class: "sheet-part" }, element("h4", { text: "Answer" }), own));
}

function clearPaper() {
  for (const fold of document.querySelectorAll("details[data-was]")) { fold.open = fold.dataset.was === "true"; delete fold.dataset.was; }
  byId("paper").replaceChildren();
}
