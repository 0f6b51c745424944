"""What a page's own script puts right in the browser: one step of history a page, numbers with a decimal comma, the colour of a
slider's number, and what a screen reader is told of the menu on a phone."""

from __future__ import annotations

import streamlit as st

# Streamlit gives a page its address first and its settings a moment later, as two steps of history: Back would then go from
# a page to the same page. And a number field drops the comma from "0,02", which leaves 002. A slider's number has the colour of
# its thumb, which on a dark ground is too dark for small text. The menu on a phone is a list whose groups are no items of it,
# so that a screen reader counts wrong, and a group opens for a pointer alone: here it is a group of links with groups in it.
_SCRIPT = """
export default function () {
  if (window.settledInBrowser) return;
  window.settledInBrowser = true;

  const style = document.createElement("style");
  style.textContent = '.stApp [data-testid="stSliderThumbValue"] p { color: var(--eunoe-text, inherit); }';
  document.head.append(style);
  const text = () => document.documentElement.style.setProperty(
    "--eunoe-text", getComputedStyle(document.querySelector(".stApp")).color);
  text();
  new MutationObserver(text).observe(document.querySelector(".stApp"), { attributes: true, attributeFilter: ["class"] });

  const give = (part, attributes) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (part.getAttribute(name) !== value) part.setAttribute(name, value);
    }
  };
  const menu = () => {
    for (const list of document.querySelectorAll('[data-testid="stSidebarNavItems"]')) {
      give(list, { role: "group", "aria-label": "Pages" });
      for (const item of list.querySelectorAll("li")) give(item, { role: "none" });
      for (const head of list.querySelectorAll('[data-testid="stNavSectionHeader"]')) {
        give(head.parentElement, { role: "group", "aria-label": head.querySelector("p")?.textContent ?? "" });
        give(head, { role: "button", tabindex: "0", "aria-expanded": String(head.parentElement.querySelector("li") !== null) });
      }
    }
  };
  document.addEventListener("keydown", (event) => {
    if (!["Enter", " "].includes(event.key) || !event.target.matches?.('[data-testid="stNavSectionHeader"]')) return;
    event.preventDefault();
    event.target.click();
  });
  let due = 0;
  new MutationObserver(() => { due ||= requestAnimationFrame(() => { due = 0; menu(); }); })
    .observe(document.body, { childList: true, subtree: true });
  menu();

  const push = history.pushState.bind(history);
  let opened = location.search ? null : location.pathname;
  history.pushState = (state, title, address) => {
    const target = new URL(address, location.href);
    const samePage = target.pathname === location.pathname;
    if (samePage && opened === target.pathname && !location.search) {
      opened = null;
      return history.replaceState(state, title, address);
    }
    opened = samePage || target.search ? null : target.pathname;
    return push(state, title, address);
  };

  const numeric = (field) => field instanceof HTMLInputElement && field.type === "number";
  document.addEventListener("beforeinput", (event) => {
    if (!numeric(event.target) || event.data === null || !event.data.includes(",")) return;
    event.preventDefault();
    document.execCommand("insertText", false, event.data.replace(",", "."));
  }, true);
  document.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!numeric(event.target) || !text.includes(",")) return;
    event.preventDefault();
    const plain = text.trim();
    // 1,5 is a number with a decimal comma; in 1.000,5 and 1,000,000 the comma may be anything, so nothing is pasted.
    if (/^[+-]?\\d*,\\d+$/.test(plain)) document.execCommand("insertText", false, plain.replace(",", "."));
  }, true);
}
"""
_mount = st.components.v2.component("in_browser", js=_SCRIPT)


def settle() -> None:
    """Mount the script; it runs once a tab, whichever page opens first."""
    with st.container(key="in-browser", height=1, border=False):
        _mount(key="in-browser-script", height=1)
