"""What a page's own script puts right in the browser: one step of history a page, numbers with a decimal comma, the colour of a
slider's number, what a screen reader is told of the menu on a phone, that a finger on a picture scrolls, pictures as files."""

from __future__ import annotations

import streamlit as st

# Streamlit gives a page its address first and its settings a moment later, as two steps of history: Back would then go from
# a page to the same page. And a number field drops the comma from "0,02", which leaves 002. A slider's number has the colour of
# its thumb, which on a dark ground is too dark for small text. The menu on a phone is a list whose groups are no items of it,
# so that a screen reader counts wrong, and a group opens for a pointer alone: here it is a group of links with groups in it.
# And a plot keeps every touch to itself, so that a phone would not scroll where a finger is on one: here it does, and a tap
# arrives as a click. Where a finger draws (a lasso) the plot has it, unless there is more of the plot beside the window. What
# is drawn anew stays scrolled to where it was. And its camera, which by touch is not there, makes one kind of file: buttons
# elsewhere press it for the kind that they name.
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
  const across = new Map();
  const named = (frame) => [...(frame.classList ?? [])].find((word) => word.startsWith("st-key-figure-"));
  document.addEventListener("scroll", (event) => {
    if (named(event.target)) across.set(named(event.target), event.target.scrollLeft);
  }, true);
  const frames = () => {
    for (const frame of document.querySelectorAll('[class*="st-key-figure-"]')) {
      if (!frame.seenBefore && across.get(named(frame))) frame.scrollLeft = across.get(named(frame));
      frame.seenBefore = true;
    }
  };
  let due = 0;
  new MutationObserver(() => { due ||= requestAnimationFrame(() => { due = 0; menu(); frames(); }); })
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

  document.addEventListener("touchstart", (event) => {
    const plot = event.target.closest?.(".nsewdrag")?.closest(".js-plotly-plot");
    const frame = plot?.closest('[data-testid="stElementContainer"]');
    const draws = ["lasso", "select"].includes(plot?._fullLayout?.dragmode);
    if (plot && (!draws || frame?.scrollWidth > frame?.clientWidth)) event.stopPropagation();
  }, { capture: true, passive: true });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".eunoe-save");
    const plot = button && document.querySelector(`.st-key-${button.dataset.figure} .js-plotly-plot`);
    const camera = plot?.querySelector('.modebar-btn[data-title^="Download"]');
    if (!camera) return;
    const how = plot._context.toImageButtonOptions ??= {}, before = how.format;
    how.format = button.dataset.format;
    camera.click();
    how.format = before;
  });

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
