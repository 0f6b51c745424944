"""Pointing at a part of the page: it comes into view once and is marked."""

from __future__ import annotations

import re

import streamlit as st

# The element may be drawn seconds later. It comes into view once for each place of a lesson, so that what the reader scrolls
# to afterwards stays; below what sticks to the top of the page. On a phone nothing sticks, and the words come first.
_SCRIPT = """
export default function ({ data }) {
  if (window.eunoePointedAt === data.once) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const until = Date.now() + 30000;
  clearInterval(window.eunoePointer);
  window.eunoePointer = setInterval(() => {
    const part = document.querySelector(data.selector);
    if (part === null && Date.now() < until) return;
    clearInterval(window.eunoePointer);
    if (part === null) return;
    window.eunoePointedAt = data.once;
    if (innerWidth <= 640) return;
    const bar = document.querySelector(".st-key-lesson");
    const above = bar === null ? 0 : bar.getBoundingClientRect().bottom + 12;
    part.style.scrollMarginTop = `${above}px`;
    const box = part.getBoundingClientRect();
    if (box.top >= above && box.bottom <= innerHeight) return;
    part.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }, 150);
}
"""
_mount = st.components.v2.component("pointer", js=_SCRIPT)


def point_at(key: str, once: str) -> None:
    """Mark the element with this key, and scroll to it unless that was done for ``once`` before."""
    selector = ".st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key.strip())
    st.html(f"<style>{selector} {{outline: 2px solid #3A75A8; outline-offset: 5px; border-radius: 4px;}}</style>")
    with st.container(key="pointer", height=1, border=False):
        _mount(key="pointer-script", data={"selector": selector, "once": once}, height=1)
