"""Signing in on a public server, through Streamlit's own OpenID Connect, where the secrets file has an [auth] block."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from unlearn_core.support.escaping import escape_markdown
from unlearn_core.support.public_mode import is_public

ALLOWED: Final = "allow"
"""The block of the secrets file that says who may come in: ``emails`` and ``domains``; without it everybody who can sign in."""
NOT_LISTED: Final = "You are signed in, but this server is not open to your address. Ask whoever runs it."
NO_AUTHLIB: Final = "This server asks its visitors to sign in, which needs the package Authlib: its operator has to install it."
NO_ADDRESS: Final = "The provider you signed in with confirms no e-mail address, so it cannot be looked up who may come in."


def wanted() -> bool:
    """Whether visitors have to sign in: a public server whose secrets have an [auth] block."""
    return is_public() and bool(_block("auth"))


def person() -> str:
    """The address that was signed in with, in small letters; "" where nobody has to, or nobody did."""
    if not wanted() or not _signed_in():
        return ""
    return str(st.user.get("email") or st.user.get("sub") or "").strip().lower()


def require() -> None:
    """Stop before anything is read unless somebody is signed in who may come in."""
    if not wanted():
        return
    if importlib.util.find_spec("authlib") is None:
        st.error(f"{NO_AUTHLIB} Nobody comes in before that.", icon=":material/lock:")
        st.stop()
    if not _signed_in():
        st.title("Sign in")
        st.markdown("This server is open to people who sign in. It keeps your address in a log of who started what.")
        st.button("Sign in", type="primary", key="sign-in", icon=":material/login:", on_click=_log_in)
        st.stop()
    if reason := why_not(dict(st.user), _block(ALLOWED)):
        st.error(f"{reason} ({escape_markdown(person() or 'no address')})", icon=":material/lock:")
        st.button("Sign out", key="sign-out", icon=":material/logout:", on_click=st.logout)
        st.stop()


def why_not(user: Mapping[str, Any], allowed: Mapping[str, Any]) -> str:
    """Why this person may not come in, as a sentence; "" where they may.

    An address counts only as the provider confirmed it: one with ``email_verified`` false is no address.
    """
    if not allowed:
        return ""
    address = str(user.get("email") or "").strip().lower()
    if not address or str(user.get("email_verified", True)).lower() == "false":
        return NO_ADDRESS
    emails = {str(one).strip().lower() for one in allowed.get("emails", ())}
    domains = {str(one).strip().lower().lstrip("@") for one in allowed.get("domains", ())}
    name, _, domain = address.rpartition("@")
    return "" if address in emails or (name and domain in domains) else NOT_LISTED


def _log_in() -> None:
    st.login(provider_of(_block("auth")))


def provider_of(auth: Mapping[str, Any]) -> str | None:
    """The provider's name where the block has its settings in a block of their own, ``[auth.microsoft]``; the first one."""
    named = [name for name, value in auth.items() if isinstance(value, Mapping) and name != "client_kwargs"]
    return named[0] if named and "client_id" not in auth else None


def _signed_in() -> bool:
    return bool(st.user.get("is_logged_in", False))


def _block(name: str) -> Mapping[str, Any]:
    try:
        found = st.secrets.get(name, {})
    except StreamlitSecretNotFoundError:
        return {}
    return found if isinstance(found, Mapping) else {}
