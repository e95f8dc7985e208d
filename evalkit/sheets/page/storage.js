// What a reviewer does is kept under the queue's own name: pages opened from disk share one storage.

const PREFIX = "evalkit-review/1/";
const storage = { works: false };

storage.read = key => {
  try { return JSON.parse(window.localStorage.getItem(PREFIX + key)); } catch { return null; }
};

storage.write = (key, value) => {
  try {
    window.localStorage.setItem(PREFIX + key, JSON.stringify(value));
    storage.works = true;
  } catch { storage.works = false; }
  return storage.works;
};

storage.remove = key => { try { window.localStorage.removeItem(PREFIX + key); } catch { /* it was never there */ } };

storage.probe = () => {
  const mark = String(Math.random());
  storage.write("probe", mark);
  storage.works = storage.read("probe") === mark;
  storage.remove("probe");
  return storage.works;
};
