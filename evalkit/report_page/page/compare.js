// The answer beside another answer to the same probe: the baseline's, another target's, another sample's.

function counterparts(trial) {
  const found = [];
  if (trial.before?.answers.length) found.push({ id: "baseline", name: /^(baseline|run) /.test(report.baseline) ? report.baseline : `baseline ${report.baseline}`, outcome: trial.before.outcome, reason: textOf(trial.before.reason), text: textOf(trial.before.answers[trial.before.answers.length - 1].text) });
  const family = (report.families.get(familyOf(trial)) || []).filter(other => other !== trial && other.answers.length);
  const base = trial.target.replace(/\+[^:]*/, "");
  const rank = other => (other.sample === trial.sample ? 0 : 4) + (other.target === base ? 0 : isReference(other) ? 1 : 2);
  for (const other of family.sort((a, b) => rank(a) - rank(b) || a.index - b.index).slice(0, 100)) {
    found.push({ id: other.key, name: other.target + (other.sample ? `, sample ${other.sample}` : ""), outcome: other.outcome, reason: textOf(other.reason), text: answerText(other) });
  }
  return found;
}

function diffNode(trial, others) {
  const other = others.find(item => item.id === state.other) || others[0];
  const choice = element("select", { id: "with", "aria-label": "Compare with" }, ...others.map(item => element("option", { value: item.id, selected: item === other, text: plain(`${item.name} (${item.outcome})`) })));
  choice.addEventListener("change", () => { Object.assign(state, { other: choice.value, isChosen: true }); showTrial(); writeAddress(); byId("with").focus({ preventScroll: true }); });
  const inline = element("button", { type: "button", id: "inline", "aria-pressed": String(preferences.inline), text: "In one text" });
  inline.addEventListener("click", () => { preferences.inline = !preferences.inline; keepPreferences(); showTrial(); byId("inline").focus({ preventScroll: true }); });
  const own = answerText(trial), isLong = own.length > LONG * 5 || other.text.length > LONG * 5;
  const parts = isLong ? null : difference(other.text, own);
  const box = element("div", { class: "compare" }, element("div", { class: "compare-bar" }, element("label", {}, "Compare with ", choice), inline));
  if (!isLong) box.append(element("p", { class: "quiet", text: changeWords(parts) }));
  if (isLong) {
    box.append(element("p", { class: "quiet", text: "Too long to compare word by word; both are shown." }),
      sides(other, trial, [textBlock(other.text)], [textBlock(own)]));
  } else if (preferences.inline) {
    box.append(element("div", { class: "text diff", dir: "auto" }, ...diffNodes(parts, ["same", "gone", "new"])));
  } else {
    box.append(sides(other, trial, [element("div", { class: "text diff", dir: "auto" }, ...diffNodes(parts, ["same", "gone"]))],
      [element("div", { class: "text diff", dir: "auto" }, ...diffNodes(parts, ["same", "new"]))]));
  }
  return box;
}

function sides(other, trial, left, right) {
  const side = (name, outcome, reason, nodes) => element("div", { class: "side-by-side" },
    element("p", { class: "verdict-head" }, badge(outcome), " ", element("strong", {}, ...nodesOf(name))), element("p", { class: "quiet" }, ...nodesOf(lineOf(reason))), ...nodes);
  return element("div", { class: "both" }, side(other.name, other.outcome, other.reason, left), side("this answer", trial.outcome, textOf(trial.reason), right));
}

function diffNodes(parts, kinds) {
  return parts.filter(([kind]) => kinds.includes(kind)).flatMap(([kind, text]) => {
    const nodes = plainNodes(text);
    return kind === "same" ? nodes : [element(kind === "gone" ? "del" : "ins", {}, ...nodes)];
  });
}

function changeWords(parts) {
  const count = kind => parts.filter(([own]) => own === kind).reduce((sum, [, text]) => sum + (text.match(/[\p{L}\p{M}\p{N}_]+/gu) || []).length, 0);
  const gone = count("gone"), fresh = count("new"), same = count("same");
  if (!parts.some(([kind]) => kind !== "same")) return "Both answers are the same.";
  return `${same.toLocaleString("en")} words in common, ${gone.toLocaleString("en")} only there, ${fresh.toLocaleString("en")} only here.`;
}
