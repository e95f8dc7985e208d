// Word by word, what one text has and the other has not (Myers 1986, "An O(ND) Difference Algorithm").

const MOST_WORDS = 30000, MOST_EDITS = 1500;

function wordsOf(text) { return text.match(/\s+|[\p{L}\p{M}\p{N}_]+|[^]/gu) || []; }

// [[kind, text], …] with kind "same", "gone" or "new".
function difference(before, after) {
  let a = wordsOf(before), b = wordsOf(after), low = 0, tail = 0;
  while (low < a.length && low < b.length && a[low] === b[low]) low += 1;
  while (tail < a.length - low && tail < b.length - low && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const head = a.slice(0, low), end = a.slice(a.length - tail);
  a = a.slice(low, a.length - tail);
  b = b.slice(low, b.length - tail);
  const middle = a.length + b.length > MOST_WORDS ? null : edits(a, b);
  return joined([...head.map(word => ["same", word]), ...(middle || [["gone", a.join("")], ["new", b.join("")]]), ...end.map(word => ["same", word])]);
}

function edits(a, b) {
  const most = Math.min(a.length + b.length, MOST_EDITS), offset = most + 1;
  let reach = new Int32Array(2 * most + 3);
  const trace = [];
  for (let d = 0; d <= most; d += 1) {
    trace.push(reach.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && reach[offset + k - 1] < reach[offset + k + 1]) ? reach[offset + k + 1] : reach[offset + k - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return walkedBack(a, b, trace, d);
    }
  }
  return null;
}

function walkedBack(a, b, trace, steps) {
  const found = [];
  let x = a.length, y = b.length;
  for (let d = steps; d >= 0; d -= 1) {
    const reach = trace[d], at = k => reach[k + d + 1], k = x - y;
    const before = k === -d || (k !== d && at(k - 1) < at(k + 1)) ? k + 1 : k - 1;
    const fromX = d ? at(before) : 0, fromY = d ? fromX - before : 0;
    while (x > fromX && y > fromY) { found.push(["same", a[x - 1]]); x -= 1; y -= 1; }
    if (!d) break;
    found.push(x > fromX ? ["gone", a[x - 1]] : ["new", b[y - 1]]);
    x = fromX;
    y = fromY;
  }
  return found.reverse();
}

// Neighbours of a kind are one; white space between two changes belongs to them, so that a changed phrase reads as one.
function joined(parts) {
  const found = [];
  let gone = "", fresh = "";
  const flush = () => {
    if (gone) found.push(["gone", gone]);
    if (fresh) found.push(["new", fresh]);
    gone = fresh = "";
  };
  parts.forEach(([kind, text], place) => {
    if (kind === "gone") gone += text;
    else if (kind === "new") fresh += text;
    else if ((gone || fresh) && /^[^\S\n]+$/.test(text) && place + 1 < parts.length && parts[place + 1][0] !== "same") { gone += text; fresh += text; }
    else {
      flush();
      const last = found[found.length - 1];
      if (last && last[0] === "same") last[1] += text;
      else found.push(["same", text]);
    }
  });
  flush();
  return found;
}
