"""Eunoe in the browser: ``streamlit run app.py``. Page config and navigation, nothing else."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.session import audience, following, garbage, hardening, in_browser, late_requests, places, replay, sign_in
from pages.session.entry import answer_to_own_names, refuse_wrong_setup
from pages.session.services import elsewhere, warm_up
from pages.widgets import class_bar, public_bar, reading
from unlearn_core.errors import UserError
from unlearn_core.support.deferring import NotRead
from unlearn_core.support.escaping import escape_markdown

HERE = Path(__file__).parent

answer_to_own_names()
refuse_wrong_setup()
hardening.guard()
audience.take_word()
# Before the navigation: without an icon for all pages the browser would fetch that of each page from the internet.
st.set_page_config(page_icon=str(HERE / "assets" / "icon.svg"), layout="wide", initial_sidebar_state="collapsed")
sign_in.require()
st.logo(str(HERE / "assets" / "logo.svg"), size="large")

pages = {
    "": [
        st.Page("pages/start.py", title="Start", icon=":material/water:", default=True),
        st.Page("pages/lessons.py", title="Learn", icon=":material/school:", url_path="lessons"),
        st.Page("pages/craft.py", title="Craft", icon=":material/tune:", url_path="craft"),
        st.Page("pages/compare.py", title="Compare", icon=":material/balance:", url_path="compare"),
    ],
    "Look inside": [
        st.Page("pages/boundary.py", title="Decision boundary", icon=":material/border_style:", url_path="boundary"),
        st.Page("pages/redirect.py", title="Redirect neurons", icon=":material/hub:", url_path="redirect"),
        st.Page("pages/embedding.py", title="Embedding", icon=":material/scatter_plot:", url_path="embedding"),
        st.Page("pages/heatmap.py", title="Heatmap", icon=":material/grid_on:", url_path="heatmap"),
    ],
    "Debug": [
        st.Page("pages/forget.py", title="Forget set", icon=":material/checklist:", url_path="forget"),
        st.Page("pages/own.py", title="Your own", icon=":material/folder_open:", url_path="own"),
    ],
}
full = places.are_taken()
current = st.navigation(pages, position="hidden" if full else "top")
st.set_page_config(page_title="Eunoe – unlearning corrupted data" if current.url_path == "" else f"{current.title} – Eunoe")
if full:
    places.wait()
in_browser.settle()
late_requests.refuse_late_requests()
# Lessons and links for teachers name pages, and need to know which one this is.
st.session_state["pages"] = {page.url_path or "start": page.title for group in pages.values() for page in group}
st.session_state["page"] = current.url_path or "start"
following.take()
class_bar.bar()
public_bar.bar()
try:
    with elsewhere():
        current.run()
except replay.Shown:
    pass  # a student's page, which was sent whole
except NotRead as missing:
    # A link to images whose files have not been read yet, on whatever page.
    reading.wait_for(missing)
    warm_up()
except UserError as error:
    # A page says itself what is wrong with its settings: this is the store, without which it has nothing.
    closed = audience.visitor() or audience.guest()  # the message may name a folder
    st.error("The server’s store cannot be read." if closed else escape_markdown(error), icon=":material/database:")
    st.button("Try again", icon=":material/refresh:")
finally:
    garbage.tidy_up()
