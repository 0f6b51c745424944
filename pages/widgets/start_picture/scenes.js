// Hands all scenes to the picture, which has opened with the first; one that opens again finds them here.

export default function ({ data }) {
  if (!data) return;
  window.eunoeScenes = data;
  window.dispatchEvent(new Event("eunoe-scenes"));
}
