/** Light or dark, as the user has chosen, before anything is painted. Without a choice the system's holds. */

(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
})();
