"use strict";
// Before anything is painted, so that no page flashes in the wrong colours.
try {
  const kept = window.localStorage.getItem("evalkit-report/theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch { /* storage is off: the system decides */ }
