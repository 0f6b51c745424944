// The pictures of one card; a press on one asks the server for more like it.

function picture({ index, address, label }, ask) {
  const image = Object.assign(document.createElement("img"), { src: address, alt: `example ${index}, given label ${label}` });
  const word = Object.assign(document.createElement("span"), { textContent: label });
  const place = document.createElement(ask ? "button" : "div");
  if (ask) Object.assign(place, { type: "button", title: `More like example ${index}`, onclick: () => ask(index) });
  place.className = "place";
  place.append(image, word);
  const item = document.createElement("div");
  item.setAttribute("role", "listitem");
  item.append(place);
  return item;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const ask = data.asks ? (index) => setTriggerValue("like", index) : null;
  const frame = parentElement.querySelector(".card");
  frame.dataset.first = data.shown[0]?.index ?? "";
  frame.replaceChildren(...data.shown.map((one) => picture(one, ask)));
}
