// The item itself: what was asked, what was expected, what came.

const FOLDED_FROM = 600;
const STRATA = {
  gate: "its label could turn a gate", regression: "it passed in the baseline", dispute: "the judges disagree",
  abstention: "no judge decided", near_threshold: "a score lies close to its bound", new_kind: "a kind of failure that the baseline has not",
  failed: "drawn from the failures", passed: "drawn from the passes", asked_for: "chosen by an option",
};

function showItem() {
  const item = ITEMS[current()];
  byId("heading").textContent = `Item ${current() + 1} of ${ITEMS.length}`;
  const facts = [item.category, item.subcategory, item.language, item.is_demo ? "demo model: its numbers mean nothing" : null];
  byId("facts").replaceChildren(...facts.filter(Boolean).map(text => element("li", { text })));
  byId("prompt").replaceChildren(...item.messages.map(message => messageNode(message, item)));
  showText(byId("expected"), item.expected || "Nothing is written down. Judge by the category and your own sense.");
  const fold = byId("thinking-fold");
  fold.hidden = !item.thinking;
  fold.open = false;
  byId("thinking-name").replaceChildren(element("kbd", { text: "T" }), ` Thinking, ${item.thinking.length.toLocaleString("en")} characters`);
  showText(byId("thinking"), item.thinking, item.language);
  showText(byId("answer"), item.answer, item.language);
}

function messageNode(message, item) {
  const text = element("div", { class: "text" });
  showText(text, message.content, message.role === "system" ? null : item.language);
  const role = { user: "User", assistant: "Model", system: "System" }[message.role] || message.role;
  if (message.role === "system" && message.content.length > FOLDED_FROM) {
    const words = `System, ${message.content.length.toLocaleString("en")} characters`;
    return element("details", { class: "message system" }, element("summary", { text: words }), text);
  }
  return element("div", { class: `message ${["user", "assistant", "system"].includes(message.role) ? message.role : "other"}` },
    element("h4", { text: role }), text);
}

function isOpen(index) {
  const entry = entryOf(index);
  if (session.state.reveal || (entry.value && entry.closed)) return true;
  return Boolean(entry.value) && !preferences.advance && !(entry.value === "wrong" && !entry.kind);
}

function showVerdict() {
  const index = current(), item = ITEMS[index], open = isOpen(index);
  byId("reveal").checked = session.state.reveal;
  byId("advance").checked = preferences.advance;
  byId("verdict").replaceChildren();
  document.body.classList.toggle("seeing", session.state.reveal);
  const entry = entryOf(index);
  if (open) change(index, { shown: true });
  byId("blind-words").textContent = open
    ? (entry.value ? (entry.blind ? "You judged this before you saw it." : "You saw this before you judged.") : "Your label will count as not blind.")
    : (entry.shown ? "Hidden again. You have seen it, so your label counts as not blind." : "Hidden until you have judged.");
  if (!open) return;
  const facts = element("dl");
  const add = (name, text, kind) => { if (text || text === 0) { const place = element("dd", { class: kind }); showText(place, String(text)); facts.append(element("dt", { text: name }), place); } };
  add("Model", item.target);
  add("Its system prompt", item.condition);
  add("Verdict", item.outcome, `outcome ${item.outcome}`);
  add("Score", item.score === null ? "" : Math.round(item.score * 1000) / 1000);
  add("Flags", item.flags.join(", "));
  for (const verdict of item.verdicts) add(verdict.judge, verdict.reason ? `${verdict.outcome}: ${verdict.reason}` : verdict.outcome);
  add("Why it is here", STRATA[item.stratum] || item.stratum);
  add("Trial", item.trial, "trial");
  byId("verdict").append(facts);
}
