// The picture itself: three planes, one clock, two sliders. Nothing here asks the server.

const SECONDS = 8; // from the first step to the last
const STEPS = 8; // so many clicks from the first step to the last, where motion is unwelcome
const ICONS = { play: "M3 1.5v13l11-6.5z", pause: "M3 2h3.6v12H3zM9.4 2H13v12H9.4z", again: "M8 2.2a5.8 5.8 0 1 0 5.6 7.3h-2A3.9 3.9 0 1 1 8 4.1c1 0 2 .4 2.7 1.1L8.6 7.3H14V1.9l-1.9 1.9A5.8 5.8 0 0 0 8 2.2z" };
const WORDS = { original: "Original", retrain: "Retrained without the discovered", rem: "REM" };

class Picture {
  constructor(root) {
    this.frame = root.querySelector(".start");
    this.styles = JSON.parse(this.frame.dataset.styles);
    this.find = (selector) => this.frame.querySelector(selector);
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.t = 0; // 0 at the first step, 1 at the last
    this.playing = false;
    this.planes = [...this.frame.querySelectorAll("figure")].map((figure) => ({
      name: figure.dataset.model, canvas: figure.querySelector("canvas"), count: figure.querySelector(".count"),
      how: figure.querySelector(".how"), usual: figure.querySelector(".how").textContent, at: 0, drawn: null,
    }));
    this.listen();
  }

  listen() {
    this.find(".play").onclick = () => this.press();
    this.find(".scrub").oninput = (event) => { this.pause(); this.t = Number(event.target.value); this.draw(); };
    for (const dial of ["regularity", "discovery"]) this.find(`.${dial}`).oninput = () => this.choose();
    this.find(".live").onclick = () => this.ask("live", this.setting());
    for (const button of this.frame.querySelectorAll("[data-page]")) {
      button.onclick = () => this.ask("open", { page: button.dataset.page, ...this.setting() });
    }
    new ResizeObserver(() => this.redraw()).observe(this.find(".planes"));
    // The theme's colours are variables: where one changes, this element's colour does, and says so.
    this.frame.addEventListener("transitionrun", (event) => { if (event.target === this.frame) requestAnimationFrame(() => this.redraw()); });
    const hear = (event) => {
      if (!this.frame.isConnected) return window.removeEventListener("eunoe-live", hear);
      this.hear(event.detail);
    };
    window.addEventListener("eunoe-live", hear);
    const more = () => {
      if (!this.frame.isConnected) return window.removeEventListener("eunoe-scenes", more);
      this.complete();
    };
    window.addEventListener("eunoe-scenes", more);
    this.still.onchange = () => { this.pause(); this.tell(); };
  }

  update({ data, setTriggerValue }) {
    this.ask = (name, value) => setTriggerValue(name, value);
    if (!data || this.size === data.byteLength) return;
    this.size = data.byteLength;
    this.header = read(data.slice().buffer, 0);
    const { scenes, first } = this.header;
    this.dials = { regularity: [...new Set(scenes.map((s) => s.regularity))], discovery: [...new Set(scenes.map((s) => s.discovery))] };
    for (const [name, values] of Object.entries(this.dials)) {
      const input = this.find(`.${name}`);
      input.max = values.length - 1;
      input.value = values.indexOf(first[name]);
    }
    if (this.scene?.live) return; // it goes on; the sliders lead back
    this.t = this.still.matches ? 1 : 0;
    this.choose();
    if (!this.still.matches) this.play();
    this.complete();
  }

  // All scenes, once they are there; who has moved a slider before gets what was chosen.
  async complete() {
    if (!window.eunoeScenes || !this.header?.scenes.some((scene) => scene.later)) return;
    const header = await unpack(window.eunoeScenes);
    this.header = header;
    if (this.waits) this.choose();
  }

  setting() {
    const at = (name) => this.dials[name][Number(this.find(`.${name}`).value)];
    return { regularity: at("regularity"), discovery: at("discovery") };
  }

  choose() {
    const { regularity, discovery } = this.setting();
    const scene = this.header.scenes.find((s) => s.regularity === regularity && s.discovery === discovery);
    this.waits = Boolean(scene.later);
    if (this.waits) return;
    if (this.scene?.live) {
      this.left = this.scene.seed; // who goes back to the sliders is not brought to the live run again
      this.t = 1;
    }
    this.show(this.header, scene);
    if (!this.playing) this.draw();
  }

  show(header, scene) {
    this.scene = develop(header, scene);
    if (!this.ground || this.ground.classes !== scene.classes.length) this.ground = new Ground(header, scene.classes.length);
    this.dots = null;
    for (const plane of this.planes) plane.drawn = null;
    this.find(".regularity-word").textContent = scene.position;
    const { known } = header.words;
    this.find(".discovery-word").textContent = known.replace("{known}", scene.known).replace("{all}", scene.wrong.length);
    for (const name of ["regularity", "discovery"]) {
      this.find(`.${name}`).setAttribute("aria-valuetext", this.find(`.${name}-word`).textContent);
    }
    this.find(".sentence").textContent = `${scene.live ? `Live, seed ${scene.seed}. ` : ""}${scene.sentence}`;
    this.find(".seed").textContent = header.words.seed.replace("{seed}", scene.seed);
    this.find(".classes").replaceChildren(...scene.classes.map((label) => {
      const chip = document.createElement("span");
      chip.innerHTML = '<i class="chip"></i>';
      chip.append(label);
      return chip;
    }));
  }

  // What a live run has so far: films grow, and the planes follow them.
  async hear(bytes) {
    const header = await unpack(bytes);
    const [scene] = header.scenes;
    if (scene.seed === this.left || (this.scene?.live && this.scene.seed === scene.seed && this.scene.done)) return;
    if (!this.scene?.live || this.scene.seed !== scene.seed) for (const plane of this.planes) plane.at = 0;
    scene.live = true;
    this.pause();
    this.show(header, scene);
    if (scene.done) this.t = 1;
    this.follow();
  }

  follow() {
    if (this.following) return;
    this.following = true;
    let before = performance.now();
    const step = (now) => {
      const passed = Math.min(0.1, (now - before) / 1000);
      before = now;
      let behind = false;
      for (const plane of this.planes) {
        const film = this.scene.films[plane.name];
        if (!film) continue;
        const end = film.frames - 1;
        plane.at = Math.min(end, plane.at + passed * Math.max(4, 2 * (end - plane.at)));
        behind ||= plane.at < end;
      }
      if (!this.scene.live || this.playing) return (this.following = false);
      this.paint();
      if (behind && this.frame.isConnected) requestAnimationFrame(step);
      else { this.following = false; this.tell(); }
    };
    requestAnimationFrame(step);
  }

  press() {
    if (this.playing) return this.pause();
    if (this.t >= 1) this.t = 0;
    else if (this.still.matches) this.t = Math.min(1, this.t + 1 / STEPS);
    if (this.still.matches) this.draw();
    else this.play();
  }

  play() {
    this.playing = true;
    this.tell();
    let before = performance.now();
    const step = (now) => {
      if (!this.playing || !this.frame.isConnected) return;
      this.t = Math.min(1, this.t + Math.min(0.1, (now - before) / 1000) / SECONDS);
      before = now;
      this.place();
      this.paint();
      if (this.t >= 1) this.pause();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  pause() {
    this.playing = false;
    this.tell();
  }

  // The planes at the clock's time.
  place() {
    for (const plane of this.planes) plane.at = this.t * ((this.scene.films[plane.name]?.frames ?? 1) - 1);
  }

  draw() {
    this.place();
    this.paint();
    this.tell();
  }

  redraw() {
    if (!this.scene) return;
    this.dots = null;
    for (const plane of this.planes) plane.drawn = null;
    this.paint();
  }

  colors() {
    const style = getComputedStyle(this.frame);
    const back = parse(style.getPropertyValue("--st-background-color")), ink = parse(style.getPropertyValue("--st-text-color"));
    const dark = back[0] + back[1] + back[2] < 380;
    const tints = this.styles.tints.map((tint) => mix(parse(tint), back, dark ? 0.27 : 0.5));
    return { back, ink, dark, tints };
  }

  paint() {
    if (!this.scene) return;
    const colors = this.colors();
    this.frame.querySelectorAll(".chip").forEach((chip, k) => { chip.style.background = css(colors.tints[k]); });
    for (const plane of this.planes) {
      const film = this.scene.films[plane.name];
      if (plane.drawn === plane.at + plane.name + !!film) continue;
      plane.drawn = plane.at + plane.name + !!film;
      this.paintPlane(plane, film, colors);
      this.count(plane, film);
    }
    this.find(".scrub").value = this.t;
    this.frame.dataset.at = this.t.toFixed(3);
  }

  paintPlane(plane, film, colors) {
    const { canvas } = plane, dense = Math.min(2, devicePixelRatio || 1);
    const w = Math.max(1, Math.round(canvas.clientWidth * dense)), h = Math.max(1, Math.round(canvas.clientHeight * dense));
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const pen = canvas.getContext("2d");
    pen.fillStyle = css(colors.back);
    pen.fillRect(0, 0, w, h);
    if (film) this.paintGround(pen, film, plane.at, w, h, dense, colors);
    if (!this.dots || this.dots.width !== w || this.dots.height !== h) this.dots = this.paintDots(w, h, dense, colors);
    pen.drawImage(this.dots, 0, 0);
    this.paintWrong(pen, film, plane.at, w, h, dense, colors);
  }

  paintGround(pen, film, at, w, h, dense, colors) {
    const ground = this.ground;
    ground.blend(film, at);
    pen.fillStyle = css(colors.tints[0]);
    pen.fillRect(0, 0, w, h);
    const outlines = [];
    for (let k = 1; k < ground.classes; k++) {
      outlines.push(ground.outline(k, w, h));
      pen.fillStyle = css(colors.tints[k]);
      pen.fill(outlines.at(-1), "evenodd");
    }
    const { data } = ground.mist;
    for (let k = 0; k < data.length; k += 4) [data[k], data[k + 1], data[k + 2]] = colors.back;
    this.veil ??= Object.assign(document.createElement("canvas"), { width: ground.side, height: ground.side });
    this.veil.getContext("2d").putImageData(ground.mist, 0, 0);
    pen.drawImage(this.veil, 0, 0, w, h);
    pen.strokeStyle = css(mix(colors.ink, colors.back, 0.62));
    pen.lineWidth = dense;
    for (const outline of outlines) pen.stroke(outline);
  }

  position(k, w, h) {
    const { places } = this.scene;
    return [(places[2 * k] / 65535) * w, (1 - places[2 * k + 1] / 65535) * h];
  }

  paintDots(w, h, dense, colors) {
    const layer = Object.assign(document.createElement("canvas"), { width: w, height: h });
    const pen = layer.getContext("2d"), wrong = new Set(this.scene.wrong);
    pen.fillStyle = this.styles.groups.clean;
    for (let k = 0; k < this.scene.places.length / 2; k++) {
      if (wrong.has(k)) continue;
      const [x, y] = this.position(k, w, h);
      pen.beginPath();
      pen.arc(x, y, 1.7 * dense, 0, 2 * Math.PI);
      pen.fill();
    }
    return layer;
  }

  paintWrong(pen, film, at, w, h, dense, colors) {
    const low = Math.floor(at), high = film ? Math.min(low + 1, film.frames - 1) : 0;
    pen.lineJoin = pen.lineCap = "round";
    this.scene.wrong.forEach((index, k) => {
      const right = film ? isRight(film, low, k) * (1 - at + low) + isRight(film, high, k) * (at - low) : 0;
      const [x, y] = this.position(index, w, h), known = k < this.scene.known;
      const shape = new Path2D(), r = (known ? 3.6 : 5) * dense;
      if (known) { shape.moveTo(x - r, y - r); shape.lineTo(x + r, y + r); shape.moveTo(x - r, y + r); shape.lineTo(x + r, y - r); }
      else { shape.moveTo(x, y - r); shape.lineTo(x + r, y); shape.lineTo(x, y + r); shape.lineTo(x - r, y); shape.closePath(); }
      const rgb = parse(this.styles.groups[known ? "discovered" : "undiscovered"]);
      pen.strokeStyle = css(colors.back, 0.9 - 0.5 * right);
      pen.lineWidth = (known ? 5 - 2 * right : 3) * dense;
      pen.stroke(shape);
      if (!known) { pen.fillStyle = css(rgb, 1 - right); pen.fill(shape); }
      pen.strokeStyle = css(rgb, 1 - 0.15 * right);
      pen.lineWidth = (known ? 2.6 - 1.2 * right : 1.4) * dense;
      pen.stroke(shape);
    });
  }

  count(plane, film) {
    const all = this.scene.wrong.length, frame = film ? Math.round(plane.at) : -1;
    const healed = film ? film.healed[frame] : 0;
    const waits = this.header.words.waiting[plane.name];
    const text = film ? `${healed} healed|${all - healed} still wrong|${Math.round(100 * film.utility[frame])} % of new points right` : waits;
    if (plane.text !== text) {
      plane.text = text;
      const [one, two, three] = text.split("|");
      const bold = (words) => words.replace(/^\d+/, "<b>$&</b>");
      plane.count.innerHTML = film
        ? `<span class="bar"><i style="width:${(100 * healed) / all}%"></i></span><span>${bold(one)}</span><span>${bold(two)}</span><span class="new">${three}</span>`
        : `<span>${waits}</span>`;
    }
    const rounds = film && film.frames > 1 ? film.rounds[Math.floor(plane.at)] : 0;
    const last = film ? film.rounds.at(-1) : 0;
    const unit = this.header.words.rounds[plane.name];
    plane.how.textContent = unit && last && this.frame.dataset.state !== "ended" ? `${unit} ${rounds}${this.scene.done ? ` of ${last}` : ""}` : plane.usual;
  }

  // Words of the button, and what a screen reader is told where the picture stands.
  tell() {
    const ended = this.t >= 1, state = this.playing ? "playing" : ended ? "ended" : "paused";
    this.frame.dataset.state = state;
    const [icon, word] = this.playing ? ["pause", "Pause"] : ended ? ["again", this.still.matches ? "From the start" : "Play again"] : ["play", this.still.matches ? "Step" : "Play"];
    this.find(".play path").setAttribute("d", ICONS[icon]);
    this.find(".play span").textContent = word;
    if (!this.scene) return;
    for (const plane of this.planes) {
      const film = this.scene.films[plane.name];
      this.count(plane, film);
      if (!this.playing) plane.canvas.setAttribute("aria-label", `${WORDS[plane.name]}: ${plane.count.innerText.replace(/\s+/g, " ").trim()}`);
    }
  }
}

export default function (component) {
  const root = component.parentElement;
  root.picture ??= new Picture(root);
  root.picture.update(component);
}
