"""How students come in: the address and its QR code, for the lecturer to show."""

from __future__ import annotations

import html

import streamlit as st

from pages.session import audience

_STYLE = """<style>
.eunoe-join {display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: center;}
.eunoe-join img {width: 168px; height: 168px; background: #fff; border-radius: 6px; image-rendering: pixelated;}
.eunoe-join p {margin: 0 0 .3rem; font-size: .95rem; line-height: 1.4;}
.eunoe-join .address {font-size: 1.35rem; font-weight: 600; overflow-wrap: anywhere;}
</style>"""


def button() -> None:
    """The code on any page, behind a button."""
    with st.popover("Join", icon=":material/qr_code_2:", key="class-join", help="Address and QR code for students"):
        _code()


def card(open_at_first: bool) -> None:
    """The code on the page itself, for a projector."""
    with st.expander("Students join here", expanded=open_at_first, icon=":material/qr_code_2:"):
        _code()


def _code() -> None:
    import segno

    address = audience.shared()
    picture = segno.make(address, micro=False).svg_data_uri(scale=4, border=3, dark="#000", light="#fff")
    st.html(
        f'{_STYLE}<div class="eunoe-join"><img src="{html.escape(picture)}" alt="QR code of {html.escape(address)}"><div>'
        f'<p>Scan the code, or open</p><p class="address">{html.escape(address)}</p>'
        "<p>in the same network. Then press <b>Follow the lecturer</b>.</p></div></div>"
    )
