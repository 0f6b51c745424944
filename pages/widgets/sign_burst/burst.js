// The star-burst: signs with a sticker on their way from where the original has them to where two methods have them.

const SECONDS = 3.2;
const LATE = 0.3; // the last sign sets out so late, as a share of the whole time
const IDLE_AFTER = 2500; // milliseconds
const SIDE = 17; // of a sign in the picture, CSS pixels

class Burst {
  constructor(root) {
    this.frame = root.querySelector(".burst");
    this.styles = JSON.parse(this.frame.dataset.styles);
    this.find = (selector) => this.frame.querySelector(selector);
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.t = 1; // 0 where the original has them, 1 where the methods do: it opens at the end, to be read as it is
    this.planes = ["left", "right"].map((side) => {
      const figure = this.find(`[data-side=${side}]`);
      return { figure, canvas: figure.querySelector("canvas"), of: (name) => figure.querySelector(`.${name}`), layer: null };
    });
    this.find(".play").onclick = () => this.press();
    this.find(".open").onclick = () => {
      const { dataset, discovery, seed } = this.header;
      this.ask("open", { dataset, discovery, seed, method: this.planes[1].model.name });
    };
    new ResizeObserver(() => this.redraw()).observe(this.find(".planes"));
    // The theme's colours are variables: where one changes, this element's colour does, and says so.
    this.frame.addEventListener("transitionrun", (event) => { if (event.target === this.frame) requestAnimationFrame(() => this.redraw()); });
    this.still.onchange = () => { this.stop(); this.t = 1; this.draw(); };
  }

  async update({ data, setTriggerValue }) {
    this.ask = (name, value) => setTriggerValue(name, value);
    if (!data || this.size === data.byteLength) return;
    this.size = data.byteLength;
    await this.wanted(); // the first picture of the page comes first
    const header = await unpack(data);
    this.places = header.array(header.places);
    this.clean = header.array(header.clean);
    this.wrong = header.array(header.corrupted);
    this.sheet = await createImageBitmap(new Blob([header.array(header.sheet)], { type: "image/jpeg" }));
    this.header = header;
    this.find(".opening").textContent = header.opening;
    this.find(".home").textContent = header.home;
    const [, fixed, ...others] = header.models;
    this.find(".methods").replaceChildren(...others.map((model) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: model.label });
      button.onclick = () => this.choose(model);
      return button;
    }));
    this.put(this.planes[0], fixed);
    this.put(this.planes[1], others.find((model) => model.name === header.first));
    this.draw();
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      seen.disconnect();
      if (!this.still.matches) this.play();
    }, { threshold: 0.6 });
    seen.observe(this.find(".planes"));
  }

  // Until it comes into view, or the browser has had nothing to do for a while.
  wanted() {
    return new Promise((done) => {
      const seen = new IntersectionObserver(([entry]) => { if (entry.isIntersecting) { seen.disconnect(); done(); } }, { rootMargin: "150px" });
      seen.observe(this.frame);
      setTimeout(() => (window.requestIdleCallback ?? setTimeout)(() => done()), IDLE_AFTER);
    });
  }

  put(plane, model) {
    Object.assign(plane, { model, at: this.header.models.indexOf(model), layer: null });
    const words = `${model.arrived} of ${this.wrong.length} come home`;
    plane.of("label").textContent = model.label;
    plane.of("count").textContent = words;
    plane.of("told").textContent = model.sentence;
    plane.canvas.setAttribute("aria-label", `${model.label}: ${words}`);
    for (const button of this.find(".methods").children) {
      button.setAttribute("aria-pressed", button.textContent === this.planes[1].model?.label);
    }
  }

  choose(model) {
    this.put(this.planes[1], model);
    if (this.still.matches) this.draw();
    else this.play();
  }

  press() {
    if (this.playing) { this.stop(); this.t = 1; this.draw(); }
    else if (!this.still.matches) this.play();
    else { this.t = 1 - this.t; this.draw(); }
  }

  play() {
    this.t = 0;
    if (this.playing) return;
    this.playing = true;
    this.tell();
    let before = performance.now();
    const step = (now) => {
      if (!this.playing || !this.frame.isConnected) return;
      this.t = Math.min(1, this.t + Math.min(0.1, (now - before) / 1000) / SECONDS);
      before = now;
      this.paint();
      if (this.t < 1) requestAnimationFrame(step);
      else this.stop();
    };
    requestAnimationFrame(step);
  }

  stop() {
    this.playing = false;
    this.tell();
  }

  tell() {
    this.frame.dataset.state = this.playing ? "playing" : this.t >= 1 ? "after" : "before";
    const still = this.t >= 1 ? "Before" : "After";
    this.find(".play span").textContent = this.playing ? "To the end" : this.still.matches ? still : "Let them fly";
  }

  draw() {
    if (!this.header) return;
    this.paint();
    this.tell();
  }

  redraw() {
    if (!this.header) return;
    for (const plane of this.planes) plane.layer = null;
    this.paint();
  }

  colors() {
    const style = getComputedStyle(this.frame);
    return { back: parse(style.getPropertyValue("--st-background-color")), ink: parse(style.getPropertyValue("--st-text-color")) };
  }

  paint() {
    const colors = this.colors(), dense = Math.min(2, devicePixelRatio || 1);
    for (const plane of this.planes) {
      const { canvas } = plane;
      const w = Math.max(1, Math.round(canvas.clientWidth * dense)), h = Math.max(1, Math.round(canvas.clientHeight * dense));
      if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
      if (!plane.layer || plane.layer.width !== w || plane.layer.height !== h) plane.layer = this.ground(plane.at, w, h, dense, colors);
      const pen = canvas.getContext("2d");
      pen.drawImage(plane.layer, 0, 0);
      this.paintSigns(pen, plane.at, w, h, dense, colors);
      this.paintNames(pen, plane.layer.midst, dense, colors);
    }
    this.frame.dataset.at = this.t.toFixed(3);
  }

  position(model, k, w, h) {
    const at = 2 * (model * this.clean.length + k);
    return [(this.places[at] / 65535) * w, (1 - this.places[at + 1] / 65535) * h];
  }

  // What stands still: the signs without a sticker, where this model has them.
  ground(model, w, h, dense, colors) {
    const layer = Object.assign(document.createElement("canvas"), { width: w, height: h }), pen = layer.getContext("2d");
    const wrong = new Set(this.wrong);
    const midst = layer.midst = this.header.classes.map(() => [[], []]);
    pen.fillStyle = css(colors.back);
    pen.fillRect(0, 0, w, h);
    pen.globalAlpha = 0.5;
    for (let k = 0; k < this.clean.length; k++) {
      if (wrong.has(k)) continue;
      const [x, y] = this.position(model, k, w, h), kind = this.clean[k];
      midst[kind][0].push(x);
      midst[kind][1].push(y);
      pen.fillStyle = this.header.colors[kind];
      pen.beginPath();
      pen.arc(x, y, 1.8 * dense, 0, 2 * Math.PI);
      pen.fill();
    }
    return layer;
  }

  // The name of each kind, above its signs.
  paintNames(pen, midst, dense, colors) {
    pen.font = `600 ${12.5 * dense}px ${getComputedStyle(this.frame).fontFamily}`;
    pen.textAlign = "center";
    pen.lineJoin = "round";
    this.header.classes.forEach((name, kind) => {
      const [across, down] = midst[kind].map((values) => values.sort((a, b) => a - b));
      const x = across[across.length >> 1], y = Math.max(15 * dense, down[Math.floor(0.05 * down.length)] - 9 * dense);
      pen.strokeStyle = css(colors.back, 0.9);
      pen.lineWidth = 4 * dense;
      pen.strokeText(name, x, y);
      pen.fillStyle = css(colors.ink);
      pen.fillText(name, x, y);
    });
  }

  paintSigns(pen, model, w, h, dense, colors) {
    const { side, columns, known } = this.header, n = this.wrong.length, size = SIDE * dense;
    const ways = Array.from(this.wrong, (row, k) => {
      const t = Math.min(1, Math.max(0, this.t * (1 + LATE) - (LATE * k) / n)), share = t * t * (3 - 2 * t);
      const [x, y] = this.position(0, row, w, h), [to, down] = this.position(model, row, w, h);
      return { k, x, y, atX: x + share * (to - x), atY: y + share * (down - y) };
    });
    pen.lineWidth = dense;
    for (const { k, x, y, atX, atY } of ways) {
      pen.strokeStyle = css(parse(this.styles[k < known ? "discovered" : "undiscovered"]), 0.45);
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(atX, atY);
      pen.stroke();
      pen.strokeStyle = css(colors.ink, 0.6);
      pen.beginPath();
      pen.arc(x, y, 2 * dense, 0, 2 * Math.PI);
      pen.stroke();
    }
    for (const { k, atX, atY } of ways.reverse()) { // the known ones on top
      const shape = new Path2D();
      if (k < known) shape.rect(atX - size / 2, atY - size / 2, size, size);
      else shape.arc(atX, atY, size / 2, 0, 2 * Math.PI);
      pen.save();
      pen.clip(shape);
      const column = k % columns, row = Math.floor(k / columns);
      pen.drawImage(this.sheet, column * side, row * side, side, side, atX - size / 2, atY - size / 2, size, size);
      pen.restore();
      pen.lineWidth = 2 * dense;
      pen.strokeStyle = this.styles[k < known ? "discovered" : "undiscovered"];
      pen.stroke(shape);
      pen.lineWidth = dense;
    }
  }
}

export default function (component) {
  const root = component.parentElement;
  root.burst ??= new Burst(root);
  root.burst.update(component);
}
