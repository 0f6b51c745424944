// The ground of a plane: closed outlines of the classes, interpolated in space and between two frames.

class Ground {
  constructor(header, classes) {
    this.side = header.grid;
    this.width = header.grid + 4; // a ring that repeats the border, and one outside of which nothing is: outlines close there
    this.classes = classes;
    this.scores = Array.from({ length: classes }, () => new Float32Array(this.width * this.width));
    this.next = new Int32Array(2 * this.width * this.width);
    this.mist = new ImageData(this.side, this.side);
    this.margin = new Float32Array(256);
    this.winner = new Uint8Array(256);
    for (let code = 0; code < 256; code++) {
      this.winner[code] = Math.floor(code / header.levels);
      const root = ((code % header.levels) + 0.5) / header.levels;
      this.margin[code] = header.reach * root * root;
    }
    this.reach = header.reach;
  }

  // How far each class lies above the best of the others, everywhere, between frame `t` and the next.
  blend(film, t) {
    const { side, width, classes, margin, winner, scores } = this;
    const low = Math.min(Math.floor(t), film.frames - 1), high = Math.min(low + 1, film.frames - 1);
    const late = t - low, early = 1 - late;
    const one = low * side * side, other = high * side * side;
    const row = new Float32Array(classes);
    for (let y = 0, cell = 0; y < side; y++) {
      for (let x = 0, at = (y + 2) * width + 2; x < side; x++, cell++, at++) {
        const a = film.cells[one + cell], b = film.cells[other + cell];
        let best = -Infinity, second = -Infinity, who = 0;
        for (let k = 0; k < classes; k++) {
          const score = early * (winner[a] === k ? margin[a] : -margin[a]) + late * (winner[b] === k ? margin[b] : -margin[b]);
          row[k] = score;
          if (score > best) { second = best; best = score; who = k; } else if (score > second) second = score;
        }
        for (let k = 0; k < classes; k++) scores[k][at] = row[k] - (k === who ? second : best);
        this.mist.data[4 * ((side - 1 - y) * side + x) + 3] = 120 * Math.max(0, 1 - (best - second) / this.reach);
      }
    }
    for (const score of scores) this.close(score);
  }

  close(score) {
    const { width } = this, last = width - 1;
    for (let k = 2; k < width - 2; k++) {
      score[width + k] = score[2 * width + k];
      score[(last - 1) * width + k] = score[(last - 2) * width + k];
    }
    for (let k = 1; k < last; k++) {
      score[k * width + 1] = score[k * width + 2];
      score[k * width + last - 1] = score[k * width + last - 2];
    }
    for (let k = 0; k < width; k++) {
      score[k] = score[last * width + k] = score[k * width] = score[k * width + last] = -this.reach;
    }
  }

  // The outline of where a class wins, on a canvas of w × h pixels (marching squares; inside lies on the left).
  outline(k, w, h) {
    const { width, next } = this, score = this.scores[k], path = new Path2D();
    next.fill(-1);
    for (let y = 0; y < width - 1; y++) {
      for (let x = 0; x < width - 1; x++) {
        const at = y * width + x;
        const a = score[at], b = score[at + 1], c = score[at + width + 1], d = score[at + width];
        const kind = (a > 0) | ((b > 0) << 1) | ((c > 0) << 2) | ((d > 0) << 3);
        if (kind === 0 || kind === 15) continue;
        const bottom = 2 * at, left = bottom + 1, top = 2 * (at + width), right = 2 * (at + 1) + 1;
        const joined = a + b + c + d > 0;
        switch (kind) {
          case 1: next[bottom] = left; break;
          case 2: next[right] = bottom; break;
          case 3: next[right] = left; break;
          case 4: next[top] = right; break;
          case 5: if (joined) { next[bottom] = right; next[top] = left; } else { next[bottom] = left; next[top] = right; } break;
          case 6: next[top] = bottom; break;
          case 7: next[top] = left; break;
          case 8: next[left] = top; break;
          case 9: next[bottom] = top; break;
          case 10: if (joined) { next[right] = top; next[left] = bottom; } else { next[right] = bottom; next[left] = top; } break;
          case 11: next[right] = top; break;
          case 12: next[left] = right; break;
          case 13: next[bottom] = right; break;
          case 14: next[left] = bottom; break;
        }
      }
    }
    const place = (edge) => {
      const at = edge >> 1, step = edge & 1 ? width : 1;
      const share = score[at] / (score[at] - score[at + step]);
      const x = (at % width) + (edge & 1 ? 0 : share), y = Math.floor(at / width) + (edge & 1 ? share : 0);
      return [((x - 1.5) / this.side) * w, (1 - (y - 1.5) / this.side) * h];
    };
    for (let start = 0; start < next.length; start++) {
      if (next[start] < 0) continue;
      path.moveTo(...place(start));
      for (let edge = start; next[edge] >= 0;) {
        const to = next[edge];
        next[edge] = -1;
        path.lineTo(...place(to));
        edge = to;
      }
      path.closePath();
    }
    return path;
  }
}
