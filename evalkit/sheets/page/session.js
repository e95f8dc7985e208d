// One reviewer's labels of one queue, and what became of them.

const DATA = JSON.parse(byId("data").textContent);
const ITEMS = DATA.items;
const IDLE_MS = 60000, GUESS_S = 20, MOST_UNDO = 200;
const session = { reviewer: "", state: null, isKept: true, touched: performance.now() };

function freshState() { return { at: 0, reveal: false, entries: {}, undo: [], waiting: 0, downloads: 0, saved: [] }; }

function stateKey(reviewer) { return `${DATA.queue}/${encodeURIComponent(reviewer.toWellFormed ? reviewer.toWellFormed() : reviewer)}`; }

function isIndex(index) { return Number.isInteger(Number(index)) && ITEMS[index] !== undefined; }

function soundEntry(entry) {
  const { value, kind, note, at, seconds, blind, shown, closed } = entry;
  const isLabel = DATA.labels.some(label => label.name === value) && Number.isFinite(new Date(at).getTime());
  return {
    ...(isLabel ? { value, at: Number(at), blind: blind === true, closed: closed === true } : {}),
    kind: isLabel && DATA.kinds.some(known => known.name === kind) ? kind : "",
    note: typeof note === "string" ? note : "", seconds: Number.isFinite(seconds) ? seconds : 0, shown: shown === true,
  };
}

function sound(state) {
  // Any page on the same disk may have written here.
  const kept = state && typeof state === "object" ? state : {}, plain = freshState();
  for (const [index, entry] of Object.entries(kept.entries || {})) if (isIndex(index) && entry) plain.entries[index] = soundEntry(entry);
  for (const { index, before } of Array.isArray(kept.undo) ? kept.undo.filter(Boolean) : []) {
    if (isIndex(index)) plain.undo.push({ index, before: before ? soundEntry(before) : null });
  }
  return { ...plain, at: isIndex(kept.at) ? kept.at : 0, reveal: kept.reveal === true, waiting: Number(kept.waiting) || 0, downloads: Math.max(0, Math.trunc(Number(kept.downloads))) || 0, saved: Array.isArray(kept.saved) ? kept.saved.filter(isIndex) : [] };
}

function takeUp(reviewer) {
  session.reviewer = reviewer;
  session.state = sound(storage.read(stateKey(reviewer)));
  preferences.reviewer = reviewer;
  keepPreferences();
}

function keep() {
  const kept = storage.write(stateKey(session.reviewer), session.state);
  session.isKept = kept;
  byId("warning").hidden = kept;
  if (!kept) {
    byId("warning").textContent = "This browser keeps nothing for this page (a private window, or storage is off or full). Download your labels before you close it.";
  }
}

const preferences = { reviewer: "", theme: "auto", advance: true, keys: true, ...(storage.read("preferences") || {}) };
function keepPreferences() { storage.write("preferences", preferences); }

function entryOf(index) { return session.state.entries[index] || {}; }
function current() { return session.state.at; }
function isJudged(index) { return Boolean(entryOf(index).value); }
function judged() { return ITEMS.map((_, index) => index).filter(isJudged); }

function change(index, facts) {
  session.state.entries[index] = { ...entryOf(index), ...facts };
}

function record(index, facts) {
  session.state.undo.push({ index, before: session.state.entries[index] || null });
  session.state.undo.splice(0, session.state.undo.length - MOST_UNDO);
  change(index, facts);
  session.state.waiting += 1;
}

function takeBack() {
  const last = session.state.undo.pop();
  if (!last) return null;
  const now = entryOf(last.index);
  // What was taken back is said anew: a file of now stands for one of before.
  session.state.entries[last.index] = { ...(last.before || {}), ...(last.before?.value ? { at: Date.now() } : {}), note: now.note, shown: now.shown, seconds: now.seconds };
  session.state.waiting += 1;
  return last.index;
}

function spend() {
  // Only time in which the page is seen and the reviewer does something counts.
  const now = performance.now();
  if (session.state && document.visibilityState === "visible" && !byId("item").hidden) {
    const index = current();
    change(index, { seconds: (entryOf(index).seconds || 0) + Math.min(now - session.touched, IDLE_MS) / 1000 });
  }
  session.touched = now;
}

function secondsLeft() {
  const times = judged().map(index => entryOf(index).seconds || 0).filter(value => value > 0).sort((a, b) => a - b);
  const usual = times.length < 3 ? GUESS_S : times[Math.floor(times.length / 2)];
  return usual * (ITEMS.length - judged().length);
}

function timeWords(seconds) {
  if (seconds < 60) return "under a minute";
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min` : `about ${Math.round(minutes / 6) / 10} h`;
}

function labelRows() {
  return judged().map(index => {
    const item = ITEMS[index], entry = entryOf(index);
    return {
      run: item.run, trial: item.trial, text_hash: item.text_hash, stratum: item.stratum, inclusion: item.inclusion,
      suite: item.suite, probe: item.probe, category: item.category,
      label: entry.value, failure_kind: entry.kind || "", note: (entry.note || "").trim(), reviewer: session.reviewer,
      at: new Date(entry.at).toISOString(), seconds: Math.round((entry.seconds || 0) * 10) / 10, blind: entry.blind === true,
      queue: DATA.queue,
    };
  });
}

function fileName() {
  // Each download has a name of its own, so that none is renamed by the browser and the newest is told from the others.
  const isKept = session.state.downloads > 0 && !session.state.waiting, number = session.state.downloads + (isKept ? 0 : 1);
  const plain = text => text.normalize("NFKD").replace(/[^A-Za-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return ["labels", plain(ITEMS[0]?.run || ""), plain(session.reviewer), number > 1 ? String(number) : ""].filter(Boolean).join("-") + ".jsonl";
}

function download() {
  const rows = labelRows();
  if (!rows.length) { say("There is nothing to download yet."); return; }
  const text = rows.map(row => JSON.stringify(row) + "\n").join(""), name = fileName();
  const address = URL.createObjectURL(new Blob([text], { type: "application/jsonl" }));
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  if (session.state.waiting || !session.state.downloads) session.state.downloads += 1;
  session.state.waiting = 0;
  session.state.saved = [...new Set([...session.state.saved, ...judged()])];
  keep();
  showProgress();
  say(`${rows.length} ${rows.length === 1 ? "label" : "labels"} downloaded as ${name}.`);
}

function isMine(reviewer) {
  const plain = name => String(name || "").trim().split(/\s+/).join(" ").toLowerCase();
  return !plain(reviewer) || plain(reviewer) === plain(session.reviewer);
}

function restore(text) {
  // How many labels were taken, how many said otherwise than is said here, and how many are whose else.
  let taken = 0, left = 0;
  const others = new Map();
  const places = new Map(ITEMS.map((item, index) => [`${item.run}\n${item.trial}\n${item.text_hash}`, index]));
  for (const line of text.split("\n")) {
    let row = null;
    try { row = JSON.parse(line); } catch { continue; }
    const index = row && places.get(`${row.run}\n${row.trial}\n${row.text_hash}`);
    if (index === undefined || index === null || !DATA.labels.some(label => label.name === row.label)) continue;
    if (!isMine(row.reviewer)) {
      const name = String(row.reviewer).trim();
      others.set(name, (others.get(name) || 0) + 1);
      continue;
    }
    if (isJudged(index)) {
      if (entryOf(index).value !== row.label) left += 1;
      continue;
    }
    record(index, soundEntry({
      value: row.label, kind: row.failure_kind, note: String(row.note || ""), at: Date.parse(row.at) || Date.now(),
      seconds: Number(row.seconds) || 0, blind: row.blind === true, closed: true, shown: entryOf(index).shown,
    }));
    taken += 1;
  }
  keep();
  return { taken, left, others };
}

function restoredWords({ taken, left, others }, file) {
  const whose = [...others].map(([name, count]) => `${count} ${count === 1 ? "label is" : "labels are"} ${name}'s; change the name to go on with ${count === 1 ? "it" : "them"}.`);
  const stay = left ? [`${left} ${left === 1 ? "item is" : "items are"} judged otherwise here and ${left === 1 ? "stays" : "stay"} so.`] : [];
  return [`${taken} ${taken === 1 ? "label" : "labels"} taken from ${file}.`, ...stay, ...whose].join(" ");
}
