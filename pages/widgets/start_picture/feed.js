// Hands what the server has of a live run to the picture, which listens for it.

export default function ({ data }) {
  if (data) window.dispatchEvent(new CustomEvent("eunoe-live", { detail: data }));
}
