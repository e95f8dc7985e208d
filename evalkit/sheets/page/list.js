// The list of all items, the help, the names, and paper.

function showList() {
  const left = ITEMS.length - judged().length;
  byId("list-counts").textContent = left ? `${judged().length} judged, ${left} left.` : "All judged.";
  byId("entries").replaceChildren(...ITEMS.map((item, index) => {
    const entry = entryOf(index), value = entry.value || "";
    const words = [`Item ${index + 1}`, value || "not judged", entry.note ? "with a note" : ""].filter(Boolean).join(", ");
    const button = element("button", { type: "button", class: `entry ${value}`, "aria-label": words, "aria-current": index === current() ? "true" : null, title: words },
      element("span", { text: String(index + 1) }), element("span", { class: "sign", "aria-hidden": "true", text: value ? LABEL_SIGNS[value] : "·" }), entry.note ? element("span", { class: "has-note", "aria-hidden": "true", text: "✎" }) : "");
    button.addEventListener("click", () => { byId("list").close(); goTo(index); });
    return element("li", {}, button);
  }));
  byId("list").showModal();
  byId("entries").children[current()]?.firstChild.focus();
}

function showHelp() {
  const rows = [
    ...DATA.labels.map(label => [LABEL_KEYS[label.name], `${label.name}: ${label.meaning}`]),
    ...DATA.kinds.map(kind => [KIND_KEYS[kind.name], `wrong, ${kindWords(kind.name).toLowerCase()}: ${kind.meaning}`]),
    ["Enter", "the next item without a label"], ["→ ←", "next, previous; also J and K"], ["U", "undo; also Ctrl+Z"],
    ["N", "write a note; Esc leaves it, Ctrl+Enter goes on"], ["T", "thinking"], ["R", "show model and verdict before judging"],
    ["L", "all items"], ["D", "download the labels"], ["?", "this list"],
  ];
  byId("keys").replaceChildren(...rows.map(([key, words]) => element("div", {}, element("dt", {}, element("kbd", { text: key })), element("dd", { text: words }))));
  byId("single-keys").checked = preferences.keys;
  byId("help").showModal();
  byId("help-name").focus();
}

function showTheme() {
  const words = { auto: "Auto", light: "Light", dark: "Dark" }[preferences.theme] || "Auto";
  document.documentElement.dataset.theme = preferences.theme;
  byId("theme").textContent = { auto: "◐", light: "☀", dark: "☾" }[preferences.theme] || "◐";
  byId("theme").setAttribute("aria-label", `Colours: ${words}. Change`);
  byId("theme").title = `Colours: ${words}`;
}

function changeTheme() {
  const order = ["auto", "light", "dark"];
  preferences.theme = order[(order.indexOf(preferences.theme) + 1) % order.length];
  keepPreferences();
  showTheme();
}

function rename(name, isOther) {
  if (!name || name === session.reviewer) return;
  spend();
  keep();
  const mine = session.state, before = session.reviewer;
  takeUp(name);
  if (!isOther && judged().length === 0) {
    session.state = mine;
    keep();
    storage.remove(stateKey(before));
  } else if (!session.isKept && mine.waiting) {
    takeUp(before);
    session.state = mine;
    say(`This browser keeps nothing for this page. Download the labels of ${before} first, then change the name.`);
    return;
  }
  goTo(current(), `Reviewer: ${name}.`);
}

function welcome() {
  byId("welcome-name").textContent = DATA.title;
  byId("welcome-words").textContent = `${ITEMS.length} ${ITEMS.length === 1 ? "answer" : "answers"} to judge, ${timeWords(GUESS_S * ITEMS.length)}. ${DATA.question} Judge what reaches the user, not the thinking before it.`;
  byId("welcome-labels").replaceChildren(...DATA.labels.map(label => element("li", {}, element("kbd", { text: LABEL_KEYS[label.name] }), element("strong", { text: ` ${label.name} ` }), label.meaning)));
  byId("reviewer").value = preferences.reviewer;
  byId("welcome").showModal();
  byId("reviewer").focus();
}

function makePaper() {
  byId("paper").replaceChildren(element("h1", { text: DATA.title }), ...ITEMS.map((item, index) => {
    const entry = entryOf(index), sheet = element("section", { class: "sheet" }, element("h2", { text: `${index + 1}. ${item.category}` }));
    for (const [name, text] of [...item.messages.map(message => [message.role, message.content]), ["expected", item.expected], ["answer", item.answer]]) {
      const place = element("div", { class: "text" });
      place.append(...nodesOf(text.length > LONG ? `${text.slice(0, HEAD)}\n[… ${text.length.toLocaleString("en")} characters in all …]\n${text.slice(-TAIL)}` : text));
      sheet.append(element("h3", { text: name }), place);
    }
    sheet.append(element("p", { class: "boxes", text: DATA.labels.map(label => `${entry.value === label.name ? "☒" : "☐"} ${label.name}`).join("     ") }));
    sheet.append(element("p", { text: entry.note ? `Note: ${entry.note}` : "Note: ______________________________" }));
    return sheet;
  }));
}
