/**
 * Tabs as people with a keyboard know them: arrows move, one tab stop for all. On wide screens the
 * style shows every panel at once.
 */

/**
 * @param {HTMLElement} list the element with role tablist
 * @param {(name: string) => void} chosen called with the id behind `tab-`
 */
export function tabs(list, chosen) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (tab, focus) => {
    for (const one of all) {
      const current = one === tab;
      one.setAttribute("aria-selected", String(current));
      one.tabIndex = current ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).classList.toggle("is-current", current);
    }
    if (focus) tab.focus();
    chosen(tab.id.replace("tab-", ""));
  };
  for (const tab of all) tab.addEventListener("click", () => choose(tab, false));
  list.addEventListener("keydown", (event) => {
    const at = all.indexOf(event.target);
    const steps = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 };
    if (at < 0 || !(event.key in steps)) return;
    event.preventDefault();
    choose(all[steps[event.key] % all.length], true);
  });
}
