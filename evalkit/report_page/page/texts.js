// Texts with evidence and search hits marked, special tokens and unseen characters named; long ones by their ends.

const TOKENS = /<\|[^|<>\s]{1,60}\|>|<｜[^｜<>]{1,60}｜>|<\/?(?:s|bos|eos|pad|unk|mask|sep|cls|start_of_turn|end_of_turn|start_of_image|end_of_image|think|thinking|thought|reasoning|reflection|tool_call|tool_response|unused\d+)>|\[\/?(?:INST|THINK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<<\/?SYS>>|◁\/?think▷/g;
const MOST_EVIDENCE = 600, MOST_HITS = 400;

function plainNodes(text) {
  const nodes = [];
  let last = 0, count = 0;
  for (const match of text.matchAll(TOKENS)) {
    if (++count > MOST_MARKS) break;
    nodes.push(...nodesOf(text.slice(last, match.index)), element("span", { class: "token", title: "a special token or a tag of the chat format", text: match[0] }));
    last = match.index + match[0].length;
  }
  nodes.push(...nodesOf(text.slice(last)));
  return nodes;
}

function hitsIn(text, words) {
  const found = [];
  if (!words.length) return found;
  const pattern = new RegExp(words.map(word => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "gi");
  for (const match of text.matchAll(pattern)) {
    if (found.length >= MOST_HITS || !match[0]) break;
    found.push({ start: match.index, end: match.index + match[0].length, hit: true });
  }
  return found;
}

// Nodes of text from low to high; layers are {start, end} with a verdict and why (evidence) or hit (search).
function layeredNodes(text, low, high, layers) {
  const own = layers.filter(layer => layer.start < high && layer.end > low);
  if (!own.length) return plainNodes(text.slice(low, high));
  const edges = [...new Set([low, high, ...own.flatMap(layer => [Math.max(low, layer.start), Math.min(high, layer.end)])])].sort((a, b) => a - b);
  const starts = [...own].sort((a, b) => a.start - b.start), nodes = [];
  let open = [], next = 0;
  for (let index = 0; index + 1 < edges.length; index += 1) {
    const from = edges[index], to = edges[index + 1];
    while (next < starts.length && starts[next].start <= from) open.push(starts[next++]);
    open = open.filter(layer => layer.end > from);
    let inner = plainNodes(text.slice(from, to));
    if (open.some(layer => layer.hit)) inner = [element("mark", { class: "hit" }, ...inner)];
    const evidence = open.filter(layer => !layer.hit);
    if (evidence.length) {
      const first = evidence.find(layer => layer.outcome === "fail") || evidence[0];
      inner = [element("mark", { class: `evidence ${first.outcome} line${first.verdict % 5}`, tabindex: "0", "data-tip": evidence.map(layer => lineOf(`${layer.judge} (${layer.outcome}): ${layer.why}`, 400)).filter((line, at, all) => all.indexOf(line) === at).join("\n") }, ...inner)];
    }
    nodes.push(...inner);
  }
  return nodes;
}

function showLayered(place, text, { layers = [], language = null, words = [] } = {}) {
  place.replaceChildren();
  place.setAttribute("dir", "auto");
  if (language && /^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*$/.test(language)) place.setAttribute("lang", language);
  if (!text.trim() && !pieces(text).some(part => typeof part !== "string")) {
    place.append(element("em", { class: "nothing", text: text ? "only white space" : "empty" }));
    return;
  }
  const every = [...layers.slice(0, MOST_EVIDENCE), ...hitsIn(text, words)];
  if (text.length <= LONG) { place.append(...layeredNodes(text, 0, text.length, every)); return; }
  const inside = layers.filter(layer => layer.start >= HEAD && layer.end <= text.length - TAIL).length;
  const marked = inside ? `, with ${inside.toLocaleString("en")} ${inside === 1 ? "mark" : "marks"}` : "";
  const more = element("button", { type: "button", class: "more", text: `Show all: ${(text.length - HEAD - TAIL).toLocaleString("en")} more characters${marked}` });
  more.addEventListener("click", () => { place.replaceChildren(...layeredNodes(text, 0, text.length, every)); place.setAttribute("tabindex", "-1"); place.focus(); });
  place.append(...layeredNodes(text, 0, HEAD, every), more, ...layeredNodes(text, text.length - TAIL, text.length, every));
}

function textBlock(text, facts = {}, kind = "text") {
  const place = element("div", { class: kind });
  showLayered(place, text, facts);
  return place;
}

// The text for where no markup is: attributes, options, what is said aloud.
function plain(text) { return pieces(text).map(part => typeof part === "string" ? part : `[${named(part)}]`).join(""); }

// One line for the list: white space squeezed, nothing unseen, cut.
function lineOf(text, most = 220) {
  const seen = plain(text.slice(0, most * 2).replace(/[\t\n\r ]+/g, " ").trim());
  return seen.length > most || text.length > most * 2 ? `${seen.slice(0, most)}…` : seen;
}
