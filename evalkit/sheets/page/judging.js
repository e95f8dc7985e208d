// Labels, kinds, notes, and the way through the items.

const LABEL_KEYS = { correct: "1", wrong: "2", borderline: "3", unsure: "4" };
const LABEL_SIGNS = { correct: "✓", wrong: "✗", borderline: "≈", unsure: "?" };
const KIND_KEYS = { OVER_REFUSAL: "O", HALLUCINATION: "H", FALSE_APPROVAL: "A", MISCLASSIFICATION: "M", FORMAT_ISSUE: "F", IDENTITY_COLLAPSE: "I", OTHER: "X" };

function kindWords(name) { const plain = name.toLowerCase().replaceAll("_", " "); return plain[0].toUpperCase() + plain.slice(1); }

function makeButtons() {
  byId("question").textContent = DATA.question;
  byId("labels").replaceChildren(...DATA.labels.map(label => {
    const button = element("button", { type: "button", class: `label ${label.name}`, "data-label": label.name, "aria-pressed": "false", "aria-keyshortcuts": LABEL_KEYS[label.name], title: label.meaning },
      element("span", { class: "sign", "aria-hidden": "true", text: LABEL_SIGNS[label.name] }), element("span", { class: "word", text: label.name }), element("kbd", { "aria-hidden": "true", text: LABEL_KEYS[label.name] }));
    button.addEventListener("click", () => judge(label.name));
    return button;
  }));
  byId("kinds").replaceChildren(...DATA.kinds.map(kind => {
    const button = element("button", { type: "button", class: "kind", "data-kind": kind.name, "aria-pressed": "false", "aria-keyshortcuts": KIND_KEYS[kind.name], title: kind.meaning },
      element("kbd", { "aria-hidden": "true", text: KIND_KEYS[kind.name] }), ` ${kindWords(kind.name)}`);
    button.addEventListener("click", () => judgeKind(kind.name));
    return button;
  }));
}

function judge(value) {
  const index = current(), entry = entryOf(index);
  spend();
  const kind = value === "wrong" || value === "borderline" ? entry.kind || "" : "";
  const same = entry.value === value;
  if (!same) record(index, { value, kind, at: Date.now(), blind: !entry.shown });
  keep();
  if (preferences.advance && (value !== "wrong" || kind)) { goOn(`Item ${index + 1}: ${value}.`); return; }
  showJudgement();
  say(value === "wrong" && !kind ? `Item ${index + 1}: wrong. Choose its kind, or go on.` : `Item ${index + 1}: ${value}.`);
  if (value === "wrong" && !kind && getComputedStyle(byId("labels")).position === "fixed") byId("kinds-box").scrollIntoView({ block: "center" });
}

function judgeKind(kind) {
  const index = current(), entry = entryOf(index);
  spend();
  const value = entry.value === "borderline" ? "borderline" : "wrong";
  const facts = { value, kind: entry.kind === kind && entry.value === value ? "" : kind, at: Date.now() };
  if (entry.value !== value) facts.blind = !entry.shown;
  record(index, facts);
  keep();
  const words = `Item ${index + 1}: ${value}${facts.kind ? `, ${kindWords(facts.kind).toLowerCase()}` : ""}.`;
  if (preferences.advance && facts.kind) { goOn(words); return; }
  showJudgement();
  say(words);
}

function showJudgement() {
  const entry = entryOf(current());
  for (const button of byId("labels").children) button.setAttribute("aria-pressed", String(button.dataset.label === entry.value));
  for (const button of byId("kinds").children) button.setAttribute("aria-pressed", String(button.dataset.kind === entry.kind));
  const asks = entry.value === "wrong" || entry.value === "borderline";
  byId("kinds-box").classList.toggle("asked", asks);
  byId("kinds-name").textContent = asks ? "What kind of failure? (you may skip it)" : "Or wrong at once, by its kind";
  if (document.activeElement !== byId("note")) byId("note").value = entry.note || "";
  byId("previous").disabled = current() === 0;
  byId("undo").disabled = session.state.undo.length === 0;
  showVerdict();
  showProgress();
}

function showProgress() {
  const done = judged().length, left = ITEMS.length - done;
  byId("progress").max = Math.max(1, ITEMS.length);
  byId("progress").value = done;
  byId("where").replaceChildren(
    element("strong", { text: `${done} of ${ITEMS.length} judged` }),
    element("span", { class: "left", text: left ? `${left} left` : "all judged" }),
    ...(left ? [element("span", { class: "time", text: timeWords(secondsLeft()) })] : []));
  const waiting = session.state.waiting > 0 && done > 0;
  byId("download").classList.toggle("waiting", waiting);
  byId("download").querySelector(".words").textContent = waiting || !done ? "Download" : "Downloaded";
  byId("download").setAttribute("aria-label", waiting ? `Download ${done} labels` : done ? "Download again: all labels are downloaded" : "Download labels: there are none yet");
  byId("open-name").textContent = session.reviewer;
  byId("open-name").setAttribute("aria-label", `Reviewer: ${session.reviewer}. Change`);
}

function goTo(index, words) {
  spend();
  if (isJudged(current()) && index !== current()) change(current(), { closed: true });
  session.state.at = Math.min(ITEMS.length - 1, Math.max(0, index));
  byId("item").hidden = false;
  byId("done").hidden = true;
  byId("note").blur();
  showItem();
  showJudgement();
  keep();
  window.scrollTo(0, 0);
  byId("heading").focus({ preventScroll: true });
  say(words || "");
}

function nextOpen(from) {
  for (let step = 1; step <= ITEMS.length; step += 1) {
    const index = (from + step) % ITEMS.length;
    if (!isJudged(index)) return index;
  }
  return null;
}

function goOn(words = "") {
  const index = nextOpen(current());
  if (index === null) { showDone(); say(words); return; }
  goTo(index, words);
}

function step(by) {
  const index = current() + by;
  if (index >= ITEMS.length) { goOn(); return; }
  if (index >= 0) goTo(index);
}

function undo() {
  const last = session.state.undo.at(-1), isSaved = last && session.state.saved.includes(Number(last.index));
  const index = takeBack();
  if (index === null) { say("There is nothing to undo."); return; }
  const none = isSaved ? "has no label again, but the file that was downloaded has one. To take that back, say unsure" : "has no label again";
  goTo(index, `Undone: item ${index + 1} ${isJudged(index) ? `is ${entryOf(index).value} again` : none}.`);
}

function showDone() {
  spend();
  change(current(), { closed: true });
  keep();
  showProgress();
  const counts = DATA.labels.map(label => [judged().filter(index => entryOf(index).value === label.name).length, label.name]);
  byId("done-name").textContent = `All ${ITEMS.length} are judged. Thank you, ${session.reviewer}.`;
  byId("done-counts").replaceChildren(...counts.map(([count, name]) => element("span", { class: `count ${name}`, text: `${LABEL_SIGNS[name]} ${count} ${name}` })));
  byId("done-command").textContent = `evalkit review import ${fileName()}`;
  byId("item").hidden = true;
  byId("done").hidden = false;
  window.scrollTo(0, 0);
  byId("done-name").focus({ preventScroll: true });
}

let fading = 0;
function say(words) {
  byId("status").textContent = words;
  byId("status").classList.remove("old");
  clearTimeout(fading);
  fading = setTimeout(() => byId("status").classList.add("old"), 6000);
}
